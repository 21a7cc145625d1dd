// libpq as tillsync uses it: prepared statements, binary values, several sent before the first is answered (pipeline
// mode). One thread at a time. PostgreSQL 14 or newer.
//
//   Connection db = *Connection::open("postgresql://cloud@db/tillsync");
//   db.send(kFindShop, Values().add(tenant).add(branch));
//   auto rows = db.sync();
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tillsync/bytes.hpp>
#include <tillsync/result.hpp>
#include <vector>

namespace tillsync::postgres {

// An SQL text with a name of its own; prepared on a connection when it is first used there.
struct Statement {
  const char* name;
  const char* sql;
};

// A column of values, for unnest(): many rows in one parameter.
class Column {
 public:
  enum class Type : std::uint32_t { boolean = 16, bytes = 17, bigint = 20 };
  explicit Column(Type type) : type_(type), array_(kHead, '\0') {}
  Column& add(std::int64_t value);
  Column& add(std::uint64_t value) { return add(static_cast<std::int64_t>(value)); }
  Column& add(ByteView value);
  Column& add(bool value);
  std::size_t size() const { return count_; }
  Bytes encoded() &&;

 private:
  static constexpr std::size_t kHead = 20;  // of an array's binary form, filled in at last

  Type type_;
  std::uint32_t count_ = 0;
  Bytes array_;
};
inline constexpr auto kBoolean = Column::Type::boolean, kBytes = Column::Type::bytes, kBigint = Column::Type::bigint;

// A statement's parameters, in order.
class Values {
 public:
  Values& add(std::int64_t value);
  Values& add(std::uint64_t value) { return add(static_cast<std::int64_t>(value)); }
  Values& add(ByteView value);
  Values& add(Column column);
  const std::vector<Bytes>& all() const { return values_; }

 private:
  std::vector<Bytes> values_;
};

// The rows that a statement returned.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, PQclear) {}
  std::size_t size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }
  bool empty() const { return size() == 0; }
  bool is_null(std::size_t row, int column) const;
  std::int64_t bigint(std::size_t row, int column) const;
  std::uint64_t number(std::size_t row, int column) const { return static_cast<std::uint64_t>(bigint(row, column)); }
  bool boolean(std::size_t row, int column) const;
  ByteView bytes(std::size_t row, int column) const;  // as long as the rows live

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

// What went wrong, as the transaction's owner needs it.
struct Fault {
  enum class Kind {
    failed,      // the statement is at fault, or the database refuses
    serialised,  // behind another transaction (deadlock, could not serialise): the same again will do
    taken,       // what must be unique is there already
    lost,        // the connection is gone, or the server can't take writes: connect again
  };
  Kind kind = Kind::failed;
  Error error;
};

class Connection {
 public:
  static constexpr int kConnectSeconds = 5;

  // Errors: io (no server, no room for a connection, no such database); invalid (the URL).
  static Result<std::unique_ptr<Connection>> open(const std::string& url);

  // Queued; answered by the next sync(), in order.
  void send(const Statement& statement, const Values& values = {});
  void send_text(const std::string& sql);  // no rows are expected of it
  // Waits for all that was sent. After a fault nothing of the rest has had an effect.
  tl::expected<std::vector<Rows>, Fault> sync();
  tl::expected<Rows, Fault> run(const Statement& statement, const Values& values = {});
  std::optional<Fault> run_text(const std::string& sql);

  bool good() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  // The payloads of NOTIFY on channels that this connection listens to. Waits up to `timeout`; errors: io.
  Result<std::vector<std::string>> notifications(std::chrono::milliseconds timeout);
  std::string text_of(const std::string& sql);  // one value; empty when there is none

 private:
  explicit Connection(PGconn* connection) : connection_(connection, PQfinish) {}
  Fault fault_of(const PGresult* result) const;

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::set<std::string> prepared_;
  struct Sent {
    bool wanted = false;    // its rows are handed out
    std::string preparing;  // the statement that it prepares
  };
  std::vector<Sent> sent_;
  bool broken_ = false;  // a send failed: sync() says so
};

}  // namespace tillsync::postgres
