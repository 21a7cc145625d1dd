#include "transport/till/housekeeping.hpp"

#include "transport/base/clock.hpp"
#include "transport/till/fitness.hpp"
#include "transport/till/till_opener.hpp"

namespace tillsync {

namespace {
constexpr Duration kHouse = std::chrono::minutes(10), kFitness = seconds(30), kCheckAgain = milliseconds(250);
}

Housekeeping::Housekeeping(CoreLoop& loop, TillDisks& disks, const DataFolder& folder,
                           std::unique_ptr<DamageCheck> check, Log log)
    : loop_(loop),
      disks_(disks),
      folder_(folder.path()),
      mark_(folder),
      check_(std::move(check)),
      log_(std::move(log)) {}

void Housekeeping::start() {
  maintain();
  look_after_fitness();
  look_after_check();
}

void Housekeeping::on_closing() {
  house_.cancel();
  fitness_.cancel();
  check_again_.cancel();
}

void Housekeeping::again(asio::steady_timer& timer, Duration after, void (Housekeeping::*what)()) {
  timer.expires_after(after);
  timer.async_wait([this, what](asio::error_code error) {
    const CoreLoop::Held held(loop_.lock());
    if (!error && !loop_.stopping()) (this->*what)();
  });
}

void Housekeeping::maintain() {
  retire_segments();
  const auto boot = read_clock().mono.since_boot;
  const bool daily = boot / std::chrono::hours(24) != (boot - kHouse) / std::chrono::hours(24);
  if (daily) {
    asio::post(disks_.database_lane(), [this] {
      if (auto sound = disks_.verify(); !sound) log_({Notice::Weight::error, sound.error().for_log()});
    });
  }
  again(house_, kHouse, &Housekeeping::maintain);
}

// Files are listed and removed on the journal's lane; the core says which may go.
void Housekeeping::retire_segments() {
  asio::post(disks_.journal_lane(), [this] {
    const auto segments = disks_.segments();
    if (!segments) return;
    loop_.post([this, segments = *segments] {
      const auto old = TillFiles::retirement(loop_.core(), segments, read_clock());
      if (old.nothing()) return;
      asio::post(disks_.journal_lane(), [this, old] { disks_.retire(old); });
    });
  });
}

void Housekeeping::look_after_fitness() {
  loop_.carry_out(loop_.core().on_fitness(read_clock(), read_fitness(folder_).value()));
  again(fitness_, kFitness, &Housekeeping::look_after_fitness);
}

// The database of a till that crashed may be rotten where nobody has looked yet: sales go on in the journal, and
// nothing more is written into it.
void Housekeeping::look_after_check() {
  if (!check_) return;
  const auto outcome = check_->within(milliseconds(0));
  if (!outcome) return again(check_again_, kCheckAgain, &Housekeeping::look_after_check);
  check_.reset();
  if (*outcome) {
    asio::post(disks_.database_lane(), [this] { (void)mark_.set(0); });
    return;
  }
  disks_.database_is_damaged();
  asio::post(disks_.database_lane(), [this] { mark_.next_start_waits(); });
  log_({Notice::Weight::error, for_folder(outcome->error(), folder_).for_log()});
}

void Housekeeping::leave_mark() {
  if (disks_.damaged()) return;  // the next start looks at it, and waits for that
  check_ ? void(mark_.set(0)) : mark_.remove();
}

}  // namespace tillsync
