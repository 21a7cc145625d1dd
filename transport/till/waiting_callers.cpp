#include "transport/till/waiting_callers.hpp"

#include "transport/base/clock.hpp"

namespace tillsync {

namespace {
constexpr char kClosed[] = "this till is shutting down: what it recorded is safe, and goes on when it is opened again";
}

void WaitingCallers::wait(std::string key, Level level, Duration limit, std::function<void(Result<Level>)> done) {
  loop_.post([this, key = std::move(key), level, limit, done = std::move(done)]() mutable {
    if (loop_.stopping()) return done(fail(ErrorKind::closed, kClosed));
    recorder_.record_handed_over();  // it may be among those
    const ReplyTo to = loop_.next_reply();
    levels_.emplace(to.value, std::move(done));
    loop_.carry_out(loop_.core().on_wait(read_clock(), to, key, level, limit));
  });
}

void WaitingCallers::command(const std::string& setting, Bytes value, std::function<void(Result<void>)> done) {
  const ReplyTo to = loop_.next_reply();
  commands_.emplace(to.value, std::move(done));
  loop_.carry_out(loop_.core().on_command(read_clock(), to, setting, std::move(value)));
}

void WaitingCallers::act(Actions& actions) {
  for (auto& reply : actions.level_replies) {
    if (auto found = levels_.extract(reply.to.value)) found.mapped()(std::move(reply.result));
  }
  for (auto& reply : actions.done_replies) {
    if (auto found = commands_.extract(reply.to.value)) found.mapped()(std::move(reply.result));
  }
}

void WaitingCallers::on_closing() {
  for (auto& [to, done] : std::exchange(levels_, {})) done(fail(ErrorKind::closed, kClosed));
  for (auto& [to, done] : std::exchange(commands_, {})) done(fail(ErrorKind::closed, kClosed));
}

}  // namespace tillsync
