#include "transport/till/till_runtime.hpp"

#include "transport/base/clock.hpp"
#include "transport/till/till_control.hpp"

namespace tillsync {

Result<std::unique_ptr<TillRuntime>> TillRuntime::open(const Options& options, Log log) {
  auto opened = open_till(options, log);
  if (!opened) return tl::unexpected(opened.error());
  std::unique_ptr<TillRuntime> till(new TillRuntime(std::move(*opened), log));
  if (options.network) {
    if (auto joined = till->peers_.join_network(options.listen.has_value()); !joined)
      return tl::unexpected(joined.error());
  }
  till->loop_.start([house = &till->house_] { house->start(); });
  return till;
}

// The recorder acts first: somebody waits for a receipt.
TillRuntime::TillRuntime(OpenedTill opened, const Log& log)
    : folder_(std::move(opened.folder)),
      settings_(std::move(opened.settings)),
      disks_(std::move(opened.disk), std::move(opened.files)),
      loop_(std::move(opened.core), disks_, log),
      recorder_(loop_, disks_),
      peers_(
          loop_, disks_, folder_, settings_, opened.key,
          [this](Role role, const Question& question) { return answer_person(*this, role, question); }, log),
      replies_(loop_, recorder_),
      house_(loop_, disks_, folder_, std::move(opened.check), log) {
  loop_.add(recorder_);
  loop_.add(peers_);
  loop_.add(replies_);
  loop_.add(house_);
}

TillRuntime::~TillRuntime() {
  loop_.end();
  peers_.end_discovery();
  disks_.join();
  house_.leave_mark();
}

Status TillRuntime::status() { return node().status(read_clock()); }

void TillRuntime::step_down(std::optional<TillId> successor) {
  loop_.carry_out(node().on_step_down(read_clock(), std::move(successor)));
}

void TillRuntime::take_roster(const Roster& roster) { loop_.carry_out(node().on_roster(read_clock(), roster)); }

Result<void> TillRuntime::verify_database() {
  std::promise<Result<void>> done;
  asio::post(disks_.database_lane(), [&] { done.set_value(disks_.verify()); });
  return done.get_future().get();
}

}  // namespace tillsync
