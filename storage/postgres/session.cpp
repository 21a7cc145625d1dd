#include "storage/postgres/session.hpp"

namespace tillsync::postgres {

Session::Session(Connection& db, bool writes, CloudTxnOptions options)
    : db_(db), writes_(writes), options_(std::move(options)) {}

// A writer's reads see the newest of what it has locked. A reader has one snapshot.
void Session::begin() {
  db_.send_text(writes_ ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void Session::commit() {
  if (writes_) (void)sync();  // a connection lost up to here has changed nothing
  if (fault_) return;
  commit_sent_ = true;
  db_.send_text("COMMIT");
  (void)sync();
}

void Session::roll_back() {
  if (db_.good()) (void)db_.sync();  // what was still under way
  if (db_.good()) (void)db_.run_text("ROLLBACK");
}

void Session::send(const Statement& statement, const Values& values) {
  if (!fault_) db_.send(statement, values);
}

std::optional<Rows> Session::run(const Statement& statement, const Values& values) {
  send(statement, values);
  auto done = sync();
  return done.empty() ? std::nullopt : std::optional(std::move(done.back()));
}

std::vector<Rows> Session::sync() {
  if (fault_) return {};
  auto done = db_.sync();
  if (done) return std::move(*done);
  fail_with(std::move(done.error()));
  return {};
}

void Session::bug(const std::string& what) {
  fail_with({Fault::Kind::failed, {ErrorKind::io, "a fault in this program: " + what, {}}});
}

void Session::fail_with(Fault fault) {
  if (!fault_) fault_ = std::move(fault);
}

}  // namespace tillsync::postgres
