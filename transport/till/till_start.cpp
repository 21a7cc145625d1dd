// A till's start and its end: settings, disks, the check after a crash, then network and thread.
#include <sodium.h>
#include <unistd.h>

#include <asio/executor_work_guard.hpp>
#include <charconv>
#include <filesystem>

#include "storage/disk/damage_check.hpp"
#include "transport/base/clock.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

namespace {

// Is there while a process runs: found at the start, the last one crashed. In it, how many starts since the database
// was last looked at whole have gone on beside the check.
constexpr char kRunning[] = "running";
constexpr int kBesideAtMost = 3;                     // then a start waits: a rotten page may be what it crashes at
constexpr std::uintmax_t kSmallDatabase = 32 << 20;  // bytes; looked at whole in a tenth of a second
constexpr auto kPatience = milliseconds(2000), kLittlePatience = milliseconds(30);
constexpr Duration kCheckAgain = milliseconds(250);

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

int starts_beside(const std::string& mark) {
  int starts = 0;
  const char* end = mark.data() + mark.size();
  const auto [rest, error] = std::from_chars(mark.data(), end, starts);
  return mark.empty() ? 0 : error == std::errc() && rest == end ? starts : kBesideAtMost;
}

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

Error for_folder(Error error, const std::string& folder) {
  if (const auto at = error.message.find("FOLDER"); at != std::string::npos) error.message.replace(at, 6, folder);
  return error;
}

}  // namespace

TillRuntime::TillRuntime(DataFolder folder, Settings settings, SecretKey key, Log log)
    : folder_(std::move(folder)),
      settings_(std::move(settings)),
      key_(key),
      log_(std::move(log)),
      run_(random_seed()),
      disk_(posix_disk()) {}

Result<std::unique_ptr<TillRuntime>> TillRuntime::open(Options options, Log log) {
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
  std::unique_ptr<TillRuntime> runtime(new TillRuntime(std::move(*folder), std::move(*settings), *key, std::move(log)));
  if (options.listen) runtime->settings_.listen = *options.listen;
  Recovered recovered;
  if (auto opened = runtime->open_disks(recovered); !opened) {
    return tl::unexpected(for_folder(opened.error(), options.folder));
  }
  TillCoreConfig config{runtime->settings_.branch,
                        runtime->settings_.till,
                        *key,
                        std::move(*roster),
                        runtime->settings_.cloud.has_value(),
                        std::move(*policies),
                        std::chrono::hours(24) * runtime->settings_.keep_sales_days,
                        std::chrono::hours(24) * runtime->settings_.keep_journal_days};
  runtime->node_ = std::make_unique<TillCore>(std::move(config), runtime->files_->store(), std::move(recovered),
                                              Random(random_seed()), read_clock());
  if (auto started = runtime->start(options); !started) return tl::unexpected(started.error());
  return runtime;
}

Result<void> TillRuntime::open_disks(Recovered& recovered) {
  const std::string database = folder_.file("db");
  const auto mark = read_file(folder_.file(kRunning));  // of a crash
  int beside = 0;
  if (mark) {
    auto check = DamageCheck::start([&] { return check_database(database); });
    if (!check) return tl::unexpected(check.error());
    beside = starts_beside(*mark);
    auto outcome = beside >= kBesideAtMost ? (*check)->wait() : (*check)->within(patience_for(database));
    if (outcome && !*outcome) {
      wait_for_the_next_check();
      return *outcome;
    }
    if (!outcome) check_ = std::move(*check);
  }
  if (auto marked = replace_file(folder_.file(kRunning), check_ ? std::to_string(beside + 1) : ""); !marked)
    return marked;
  auto started =
      TillFiles::start(*disk_, {.database = database, .journal = folder_.file("journal"), .shrink = check_ == nullptr});
  if (!started) return tl::unexpected(started.error());
  if (started->not_shrunk) log_({Notice::Weight::warning, started->not_shrunk->for_log()});
  files_ = std::move(started->files);
  recovered = std::move(started->recovered);
  return {};
}

Result<void> TillRuntime::start(const Options& options) {
  links_ = std::make_unique<Links>(io_, noise::KeyPair::of(key_.x25519()), static_cast<LinkOwner&>(*this), log_);
  dialer_ = std::make_unique<Dialer>(io_, *links_, settings_.till,
                                     Dialer::Rules{[this](const TillId& name) { return wanted(name); },
                                                   [this](const TillId& name) { return key_of(name); }},
                                     Random(random_seed()));
  if (options.network) {
    auto port = links_->listen(settings_.listen);
    if (!port) return tl::unexpected(port.error());
    port_ = *port;
    if (settings_.mdns) {
      auto seen = [this](Sighting s) {
        asio::post(io_, [this, s = std::move(s)] {
          if (s.branch != settings_.branch || s.till == settings_.till || stopping_ || remembered_.size() > 256) return;
          remembered_[s.till] = s.address;
          dialer_->suggest(s.till, s.address);
        });
      };
      auto found = Discovery::start({settings_.branch, settings_.till, port_, settings_.interface, run_}, seen, log_);
      found ? void(discovery_ = std::move(*found)) : log_({Notice::Weight::warning, found.error().for_log()});
    }
    connect_peers();
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void TillRuntime::run() {
  const auto guard = asio::make_work_guard(io_);
  {
    const Held held(core_);
    carry_out(node_->on_start(read_clock()));
    maintain();
    look_after_fitness();
    look_after_check();
  }
  while (!stopping_ && io_.run_one() > 0) {
  }
  io_.run_for(milliseconds(500));  // what was closed ends
}

TillRuntime::~TillRuntime() {
  if (thread_.joinable()) {
    post([this] {
      carry_out(node_->on_step_down(read_clock(), std::nullopt));
      auto last = std::make_shared<asio::steady_timer>(io_, milliseconds(50));  // for the farewell to leave
      last->async_wait([this, last](asio::error_code) {
        links_->close();
        dialer_->close();
        const Held held(core_);
        wake_.cancel();
        house_.cancel();
        fitness_.cancel();
        check_again_.cancel();
        stopping_ = true;
      });
    });
    thread_.join();
  }
  discovery_.reset();
  journal_lane_.join();
  database_lane_.join();
  if (!files_ || database_damaged_) return;  // the next start looks at it, and waits for that
  check_ ? void(replace_file(folder_.file(kRunning), "")) : void(::unlink(folder_.file(kRunning).c_str()));
}

void TillRuntime::wait_for_the_next_check() {
  (void)replace_file(folder_.file(kRunning), std::to_string(kBesideAtMost));
}

// The database of a till that crashed may be rotten where nobody has looked yet: sales go on in the journal, and
// nothing more is written into it.
void TillRuntime::look_after_check() {
  if (!check_) return;
  if (const auto outcome = check_->within(milliseconds(0))) {
    check_.reset();
    if (!*outcome) {
      database_damaged_ = true;
      asio::post(database_lane_, [this] { wait_for_the_next_check(); });
      log_({Notice::Weight::error, for_folder(outcome->error(), folder_.path()).for_log()});
      return;
    }
    asio::post(database_lane_, [this] { (void)replace_file(folder_.file(kRunning), ""); });
    return;
  }
  check_again_.expires_after(kCheckAgain);
  check_again_.async_wait([this](asio::error_code error) {
    if (!error && !stopping_) look_after_check();
  });
}

}  // namespace tillsync
