#include "transport/till/stopped_till.hpp"

#include "storage/disk/damage_check.hpp"
#include "storage/journal/journal.hpp"
#include "transport/base/clock.hpp"
#include "transport/base/settings.hpp"
#include "transport/till/till_looks.hpp"

namespace tillsync {

namespace {

constexpr char kCrashMark[] = "running";  // found: the last process crashed (till_start.cpp)
constexpr milliseconds kCheckTime{2000};  // for rotten pages; those at the root are found at once

// LMDB trusts its pages, and those of a crashed till may be rotten: a child looks first.
Result<void> check(const std::string& database) {
  auto checking = DamageCheck::start([&]() -> Result<void> {
    auto store = TillStore::look(database);
    return store ? (*store)->verify() : tl::unexpected(store.error());
  });
  if (!checking) return tl::unexpected(checking.error());
  return (*checking)->within(kCheckTime).value_or(Result<void>());
}

}  // namespace

Result<std::unique_ptr<StoppedTill>> StoppedTill::look(const std::string& folder) {
  std::unique_ptr<StoppedTill> out(new StoppedTill(DataFolder::look(folder)));
  if (auto read = out->read(); !read) return tl::unexpected(read.error());
  return out;
}

Result<void> StoppedTill::read() {
  auto settings = load_settings(folder_);
  if (!settings) return tl::unexpected(settings.error());
  auto key = load_identity(folder_, false);
  if (!key) return tl::unexpected(key.error());
  auto roster = load_roster(folder_.file("roster.bin"));
  if (!roster) return tl::unexpected(roster.error());
  auto policies = load_policies(folder_);
  if (!policies) return tl::unexpected(policies.error());
  if (file_exists(folder_.file(kCrashMark))) {
    if (auto sound = check(folder_.file("db")); !sound) return sound;
  }
  auto store = TillStore::look(folder_.file("db"));
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);
  Recovered recovered;
  if (file_exists(folder_.file("journal"))) {
    auto journal =
        Journal::look(*posix_disk(), folder_.file("journal"), store_->view().state().value_or(TillState{}).checkpoint,
                      [&](JournalPosition, ByteView op) { recovered.tail.emplace_back(op); });
    if (!journal) return tl::unexpected(journal.error());
    recovered.report = std::move(*journal);
  }
  TillCoreConfig config{settings->branch, settings->till, *key, std::move(*roster), false, std::move(*policies)};
  core_ = std::make_unique<TillCore>(std::move(config), *store_, std::move(recovered), Random(1), read_clock());
  answer_looks(answers_, *core_, *store_, false);
  answers_.complete<api::TillQuestions>("till", api::Does::reads);
  return {};
}

Result<Json> StoppedTill::ask(const Json& question) const {
  Result<Json> out = fail(ErrorKind::io, "nobody answered");
  answers_.ask({}, question, [&](Result<Json> answer) { out = std::move(answer); });
  if (DataFolder::in_use(folder_.path()))  // what was read may be half of before and half of after
    return fail(ErrorKind::locked, "a process has begun to use the data folder " + folder_.path() + ": try again");
  return out;
}

}  // namespace tillsync
