#include "transport/till/recovery.hpp"

#include <filesystem>

#include "engine/till/rebuilt_state.hpp"
#include "lease/grantor.hpp"
#include "storage/base/pack.hpp"
#include "storage/journal/journal.hpp"
#include "storage/lmdb/till_store.hpp"
#include "storage/model/meta_names.hpp"
#include "storage/model/op_codec.hpp"
#include "transport/base/settings.hpp"

namespace tillsync {

namespace {

namespace fs = std::filesystem;

Result<std::string> move_aside(const DataFolder& folder) {
  const std::string database = folder.file("db");
  if (!fs::exists(database)) return std::string();
  for (int i = 1; i < 1000; ++i) {
    const std::string aside = folder.file("db-damaged-" + std::to_string(i));
    if (fs::exists(aside)) continue;
    std::error_code error;
    fs::rename(database, aside, error);
    if (error) return fail(ErrorKind::io, "can't move the damaged database aside: " + error.message());
    return aside;
  }
  return fail(ErrorKind::refused,
              "a thousand damaged databases lie in " + folder.path() + ": move them elsewhere first");
}

}  // namespace

Result<Recovery> recover_till(const std::string& path) {
  auto folder = DataFolder::lock(path, false);
  if (!folder) return tl::unexpected(folder.error());
  auto settings = load_settings(*folder);
  if (!settings) return tl::unexpected(settings.error());
  auto roster = load_roster(folder->file("roster.bin"));
  if (!roster) return tl::unexpected(roster.error());
  auto disk = posix_disk();
  Recovery recovery;
  std::optional<TillState> state;
  auto journal = Journal::verify(*disk, folder->file("journal"), [&](JournalPosition at, ByteView bytes) {
    ++recovery.ops;
    if (state) return;
    if (auto op = decode_op(bytes)) {
      state = state_before(*op);
      state->checkpoint = {at.segment, 0};
    }
  });
  if (!journal) return tl::unexpected(journal.error());
  auto aside = move_aside(*folder);
  if (!aside) return tl::unexpected(aside.error());
  recovery.set_aside = *aside;
  auto store = TillStore::open(folder->file("db"));
  if (!store) return tl::unexpected(store.error());
  StoreBatch batch;
  if (state) batch.state(*state);
  // What this till had promised in an election is forgotten: as after any restart, it promises nobody anything for a
  // lease time.
  const std::uint32_t lease_ms = *roster ? (*roster)->lease_ms : Roster::kMaxLeaseMs;
  batch.meta(kPromiseMeta, pack(Promise{Term{}, settings->till, lease_ms}));
  if (auto kept = (*store)->commit(batch); !kept) return tl::unexpected(kept.error());
  return recovery;
}

}  // namespace tillsync
