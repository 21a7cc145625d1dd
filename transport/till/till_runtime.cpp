#include "transport/till/till_runtime.hpp"

#include "transport/base/clock.hpp"

namespace tillsync {

namespace {
constexpr char kDamaged[] = "it is damaged: stop this till and run 'tillsync recover', which loses no sale";
}  // namespace

void TillRuntime::wait(std::string key, Level level, Duration limit, std::function<void(Result<Level>)> done) {
  post([this, key = std::move(key), level, limit, done = std::move(done)]() mutable {
    const ReplyTo to{next_reply_++};
    levels_.emplace(to.value, std::move(done));
    carry_out(node_->on_wait(read_clock(), to, key, level, limit));
  });
}

void TillRuntime::step_down(std::optional<TillId> successor) {
  carry_out(node_->on_step_down(read_clock(), std::move(successor)));
}

void TillRuntime::command(const std::string& setting, Bytes value, std::function<void(Result<void>)> done) {
  const ReplyTo to{next_reply_++};
  commands_.emplace(to.value, std::move(done));
  carry_out(node_->on_command(read_clock(), to, setting, std::move(value)));
}

void TillRuntime::take_roster(const Roster& roster) { carry_out(node_->on_roster(read_clock(), roster)); }

Status TillRuntime::status() const { return node_->status(read_clock()); }

Result<void> TillRuntime::verify_database() {
  std::promise<Result<void>> done;
  asio::post(database_lane_, [&] { done.set_value(files_->store().verify()); });
  return done.get_future().get();
}

void TillRuntime::carry_out(Actions actions) {
  owed_.push_back(std::move(actions));
  drain();
}

void TillRuntime::drain() {
  while (!owed_.empty()) {
    Actions next = std::move(owed_.front());
    owed_.pop_front();
    perform(std::move(next));
  }
  arm();
}

void TillRuntime::perform(Actions actions) {
  answer_callers(actions);
  for (const Notice& notice : actions.notices) log_(notice);
  if (actions.append) append(std::move(*actions.append));
  if (actions.commit) commit(std::move(actions.commit));
  for (const Actions::Send& send : actions.sends) links_->send(send.to, send.message);
  for (PeerId peer : actions.hang_up) links_->hang_up(peer);
  call_back(actions);
  for (auto& reply : actions.level_replies) {
    if (auto found = levels_.extract(reply.to.value)) found.mapped()(std::move(reply.result));
  }
  for (auto& reply : actions.done_replies) {
    if (auto found = commands_.extract(reply.to.value)) found.mapped()(std::move(reply.result));
  }
  if (actions.roster_changed) {
    asio::post(database_lane_, [this, bytes = node_->roster()->encoded()] {
      if (auto kept = replace_file(folder_.file("roster.bin"), bytes); !kept)
        log_({Notice::Weight::error, kept.error().for_log()});
    });
    connect_peers();
  }
}

void TillRuntime::append(std::vector<Bytes> batch) {
  asio::post(journal_lane_, [this, batch = std::move(batch)] {
    auto outcome = flush(batch);
    post([this, outcome = std::move(outcome)]() mutable {
      carry_out(node_->on_appended(read_clock(), std::move(outcome), [this](Actions& early) {
        answer_callers(early);
        call_back(early);
      }));
    });
  });
}

void TillRuntime::commit(std::shared_ptr<const StoreBatch> batch) {
  asio::post(database_lane_, [this, batch = std::move(batch)] {
    Result<void> outcome = database_damaged_ ? fail(ErrorKind::damaged, kDamaged) : files_->store().commit(*batch);
    post([this, outcome = std::move(outcome)]() mutable {
      carry_out(node_->on_committed(read_clock(), std::move(outcome)));
    });
  });
}

void TillRuntime::arm() {
  if (stopping_) return;
  const Now now = read_clock();
  const LeaseView lease = node_->lease(now);
  if (discovery_ && (lease.term != announced_.term || lease.host != announced_.host)) {
    discovery_->announce(lease.term.value, lease.host == settings_.till);
  }
  if (lease.kind != announced_.kind || lease.host != announced_.host) dialer_->poke();
  announced_ = lease;
  armed_for_ = node_->next_wake(now);
  wake_.expires_after(std::max<Duration>(armed_for_ - now.mono, Duration::zero()));
  wake_.async_wait([this](asio::error_code error) {
    if (error || stopping_) return;
    const Held held(core_);
    const Now woken = read_clock();
    carry_out(node_->on_wake(woken));
    if (node_->wants_cloud(woken)) dialer_->poke();
  });
}

}  // namespace tillsync
