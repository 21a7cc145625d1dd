#include "storage/postgres/cloud_txn.hpp"
#include "storage/postgres/told.hpp"

namespace tillsync::postgres {

namespace {

constexpr Statement kTell{"tell", "SELECT pg_notify('tillsync', $1)"};

}  // namespace

PostgresCloudTxn::PostgresCloudTxn(Connection& db, bool writes, CloudTxnOptions options)
    : db_(db), writes_(writes), options_(std::move(options)) {}

void PostgresCloudTxn::begin() {
  db_.send_text(writes_ ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

void PostgresCloudTxn::commit() {
  if (writes_) {
    flush_all();
    for (const auto& [tenant, what] : announced())
      db_.send(kTell, Values().add(ByteView(encode_told({options_.process, tenant, what}))));
    (void)sync();  // up to here it is known that nothing has happened
  }
  if (fault_) return;
  commit_sent_ = true;
  db_.send_text("COMMIT");
  (void)sync();
}

void PostgresCloudTxn::roll_back() {
  if (db_.good()) (void)db_.sync();  // what was still under way
  if (db_.good()) (void)db_.run_text("ROLLBACK");
}

std::optional<Error> PostgresCloudTxn::error() const { return fault_ ? std::optional(fault_->error) : std::nullopt; }

void PostgresCloudTxn::fail_with(Fault fault) {
  if (!fault_) fault_ = std::move(fault);
}

void PostgresCloudTxn::bug(const std::string& what) {
  fail_with({Fault::Kind::failed, {ErrorKind::io, "a fault in this program: " + what, {}}});
}

std::optional<Rows> PostgresCloudTxn::run(const Statement& statement, const Values& values) {
  if (fault_) return std::nullopt;
  db_.send(statement, values);
  auto done = sync();
  return done.empty() ? std::nullopt : std::optional(std::move(done.back()));
}

std::vector<Rows> PostgresCloudTxn::sync() {
  auto done = db_.sync();
  if (done) return std::move(*done);
  fail_with(std::move(done.error()));
  return {};
}

void PostgresCloudTxn::expect(const std::function<CloudReads()>& what) {
  const CloudReads reads = what();
  read_shops(reads.shops);
  if (!options_.trusts_keys) read_keys(reads.keys);
  expect_metas(reads.metas);
  expect_rows(reads.rows);
  expect_events(reads.events);
}

void PostgresCloudTxn::flush_all() {
  flush_ops();
  flush_chains();
  flush_events();
  flush_rows();
  flush_feeds();
  flush_metas();
}

}  // namespace tillsync::postgres
