#include "transport/till/till_opener.hpp"

#include <sodium.h>

#include <filesystem>

#include "transport/base/clock.hpp"
#include "transport/till/crash_mark.hpp"

namespace tillsync {

namespace {

constexpr std::uintmax_t kSmallDatabase = 32 << 20;  // bytes; looked at whole in a tenth of a second
constexpr auto kPatience = milliseconds(2000), kLittlePatience = milliseconds(30);

Result<void> check_database(const std::string& path) {
  auto store = TillStore::open(path);
  if (!store) return tl::unexpected(store.error());
  return (*store)->verify();
}

// A small one is waited for, however busy the machine is: a start beside rotten pages crashes, and says nothing. A
// large one is not through in any time that customers would wait; what is rotten at its root is found at once.
milliseconds patience_for(const std::string& database) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(database + "/data.mdb", unknown);
  return unknown || bytes <= kSmallDatabase ? kPatience : kLittlePatience;
}

// Nothing when the last process ended well, or the database is sound; the check when it is still at it.
Result<std::unique_ptr<DamageCheck>> check_after_crash(const CrashMark& mark, const std::string& database) {
  const auto beside = mark.starts_beside();
  std::unique_ptr<DamageCheck> running;
  if (beside) {
    auto check = DamageCheck::start([&] { return check_database(database); });
    if (!check) return tl::unexpected(check.error());
    const bool waits = *beside >= CrashMark::kBesideAtMost;
    const auto outcome = waits ? (*check)->wait() : (*check)->within(patience_for(database));
    if (outcome && !*outcome) {
      mark.next_start_waits();
      return tl::unexpected(outcome->error());
    }
    if (!outcome) running = std::move(*check);
  }
  if (auto marked = mark.set(running ? *beside + 1 : 0); !marked) return tl::unexpected(marked.error());
  return running;
}

Result<Recovered> open_disks(OpenedTill& till, const Log& log) {
  const std::string database = till.folder.file("db");
  auto check = check_after_crash(CrashMark(till.folder), database);
  if (!check) return tl::unexpected(check.error());
  till.check = std::move(*check);
  till.disk = posix_disk();
  auto started = TillFiles::start(
      *till.disk, {.database = database, .journal = till.folder.file("journal"), .shrink = till.check == nullptr});
  if (!started) return tl::unexpected(started.error());
  if (started->not_shrunk) log({Notice::Weight::warning, started->not_shrunk->for_log()});
  till.files = std::move(started->files);
  return std::move(started->recovered);
}

}  // namespace

Result<OpenedTill> open_till(const TillOptions& options, const Log& log) {
  if (sodium_init() < 0) return fail(ErrorKind::io, "libsodium can't start: install it anew");
  auto folder = DataFolder::lock(options.folder, options.create);
  if (!folder) return tl::unexpected(folder.error());
  auto settings = prepare_settings(*folder, options.branch, options.till);
  if (!settings) return tl::unexpected(settings.error());
  auto key = load_identity(*folder, true);
  if (!key) return tl::unexpected(key.error());
  auto roster = load_roster(folder->file("roster.bin"));
  if (!roster) return tl::unexpected(roster.error());
  auto policies = load_policies(*folder);
  if (!policies) return tl::unexpected(policies.error());
  OpenedTill till{std::move(*folder), std::move(*settings), *key};
  if (options.listen) till.settings.listen = *options.listen;
  auto recovered = open_disks(till, log);
  if (!recovered) return tl::unexpected(for_folder(recovered.error(), options.folder));
  TillCoreConfig config{till.settings.branch,
                        till.settings.till,
                        *key,
                        std::move(*roster),
                        till.settings.cloud.has_value(),
                        std::move(*policies),
                        std::chrono::hours(24) * till.settings.keep_sales_days,
                        std::chrono::hours(24) * till.settings.keep_journal_days};
  till.core = std::make_unique<TillCore>(std::move(config), till.files->store(), std::move(*recovered),
                                         Random(random_seed()), read_clock());
  return till;
}

Error for_folder(Error error, const std::string& folder) {
  if (const auto at = error.message.find("FOLDER"); at != std::string::npos) error.message.replace(at, 6, folder);
  return error;
}

}  // namespace tillsync
