#include "storage/postgres/schema.hpp"

#include <array>

namespace tillsync::postgres {

namespace {

// What comes from tills and headquarters is kept as bytes: nothing in it can be refused as bad text, and it sorts as
// the engine sorts it. Numbers without a sign lie in bigint bit by bit; hlc with its highest bit turned, so that it
// sorts. Stock events lie in packets: those that one transaction brought of one product, under the
// stamp of the last.
constexpr const char* kTables = R"(
CREATE TABLE branch (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant bytea NOT NULL,
  name bytea NOT NULL,
  UNIQUE (tenant, name));
CREATE TABLE chain (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  branch bigint NOT NULL,
  till bytea NOT NULL,
  incarnation bigint NOT NULL,
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  UNIQUE (branch, till, incarnation)) WITH (fillfactor = 70);
CREATE TABLE op (
  chain bigint NOT NULL,
  seq bigint NOT NULL,
  branch bigint NOT NULL,
  effect smallint NOT NULL,
  key bytea NOT NULL,
  body bytea NOT NULL,
  PRIMARY KEY (chain, seq));
CREATE UNIQUE INDEX op_key ON op (branch, key) WHERE effect = 0 AND key <> '';
CREATE TABLE stock_events (
  branch bigint NOT NULL,
  sku bytea NOT NULL,
  hlc bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  events bytea NOT NULL,
  PRIMARY KEY (branch, sku, hlc, id));
CREATE TABLE feed_counter (
  tenant bytea NOT NULL,
  feed bytea NOT NULL,
  last bigint NOT NULL,
  PRIMARY KEY (tenant, feed)) WITH (fillfactor = 50);
CREATE TABLE feed (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant bytea NOT NULL,
  feed bytea NOT NULL,
  kind bytea NOT NULL,
  generation bigint NOT NULL,
  version bigint NOT NULL,
  live_sum bigint NOT NULL,
  horizon bigint NOT NULL,
  tombstones bigint NOT NULL,
  UNIQUE (tenant, feed, kind)) WITH (fillfactor = 50);
CREATE TABLE feed_row (
  feed bigint NOT NULL,
  id bytea NOT NULL,
  version bigint NOT NULL,
  deleted boolean NOT NULL,
  fields bytea NOT NULL,
  PRIMARY KEY (feed, id)) WITH (fillfactor = 80);
CREATE INDEX feed_row_version ON feed_row (feed, version);
CREATE INDEX feed_row_tombstone ON feed_row (feed, version) WHERE deleted;
CREATE TABLE note (
  name bytea PRIMARY KEY,
  value bytea NOT NULL) WITH (fillfactor = 70);
)";

// For people with psql: names as text, stamps as times.
constexpr const char* kViews = R"(
CREATE FUNCTION readable(bytea) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT encode($1, 'escape') $$;
CREATE FUNCTION hlc_time(bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
  $$ SELECT to_timestamp(((($1::numeric + 9223372036854775808) / 65536)::bigint) / 1000.0) $$;
CREATE VIEW readable_chain AS
  SELECT readable(b.tenant) AS tenant, readable(b.name) AS branch, readable(c.till) AS till, c.incarnation, c.seq,
         encode(c.hash, 'hex') AS hash
  FROM chain c JOIN branch b ON b.id = c.branch;
CREATE VIEW readable_op AS
  SELECT readable(b.name) AS branch, readable(c.till) AS till, o.seq, readable(o.key) AS key,
         (ARRAY['applied', 'duplicate', 'conflict', 'dead'])[o.effect + 1] AS effect, length(o.body) AS bytes
  FROM op o JOIN chain c ON c.id = o.chain JOIN branch b ON b.id = o.branch;
CREATE VIEW readable_row AS
  SELECT readable(f.feed) AS feed, readable(f.kind) AS kind, readable(r.id) AS id, r.version, r.deleted,
         length(r.fields) AS bytes
  FROM feed_row r JOIN feed f ON f.id = r.feed;
)";

constexpr std::array<const char*, kNewestSchema> kSteps{kTables, kViews};

Error error_of(const Fault& fault) { return fault.error; }

// SQL that holds several commands can't be a pipelined statement; a DO block may.
std::string as_one(const std::string& sql) {
  return "DO $migration$ BEGIN EXECUTE $step$" + sql + "$step$; END $migration$";
}

}  // namespace

Result<void> bring_up_to_date(Connection& db, int to) {
  db.send_text("CREATE SCHEMA IF NOT EXISTS tillsync");
  db.send_text("SET search_path = tillsync");
  db.send_text(
      "CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, applied_at timestamptz NOT NULL)");
  auto made = db.sync();
  if (!made && db.good() && made.error().kind != Fault::Kind::lost) {
    // Two that begin at once: the other has made it. Without the right to make it, it may be there all the same.
    db.send_text("SET search_path = tillsync");
    db.send_text("SELECT version FROM schema_version");
    auto there = db.sync();
    if (!there) return tl::unexpected(error_of(made.error()));
  } else if (!made) {
    return tl::unexpected(error_of(made.error()));
  }
  db.send_text("BEGIN");
  db.send_text("LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE");
  if (auto locked = db.sync(); !locked) return tl::unexpected(error_of(locked.error()));
  const std::string known = db.text_of("SELECT coalesce(max(version), 0)::text FROM schema_version");
  const int version = std::atoi(known.c_str());
  if (version > kNewestSchema) {
    (void)db.run_text("ROLLBACK");
    return fail(ErrorKind::refused, "the database's tables are of version " + known + ", and this program knows " +
                                        std::to_string(kNewestSchema) + ": upgrade this program");
  }
  for (int step = version; step < to; ++step) {
    db.send_text(as_one(kSteps[static_cast<std::size_t>(step)]));
    db.send_text("INSERT INTO schema_version VALUES (" + std::to_string(step + 1) + ", now())");
  }
  db.send_text("COMMIT");
  if (auto done = db.sync(); !done) {
    (void)db.run_text("ROLLBACK");
    return tl::unexpected(error_of(done.error()));
  }
  return {};
}

}  // namespace tillsync::postgres
