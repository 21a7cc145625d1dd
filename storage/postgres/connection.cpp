#include "storage/postgres/connection.hpp"

#include <poll.h>

#include <cstring>
#include <iterator>

namespace tillsync::postgres {

namespace {

constexpr int kBinary = 1;

// The last `bytes` bytes of the number, the highest first.
void write_number(char* to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to[i] = static_cast<char>(value >> 8 * (bytes - 1 - i));
}

void append_number(Bytes& out, std::uint64_t value, std::size_t bytes) {
  char big_endian[8];
  write_number(big_endian, value, bytes);
  out.append(big_endian, bytes);
}

std::string first_line(const char* text) {
  const std::string all(text);
  return all.substr(0, all.find('\n'));
}

// A state's class, as in PostgreSQL's appendix "Error Codes".
Fault::Kind kind_of(std::string_view state) {
  if (state == "40001" || state == "40P01" || state == "55P03") return Fault::Kind::serialised;
  if (state == "23505") return Fault::Kind::taken;
  const bool gone = state.starts_with("08") || state.starts_with("57P") || state == "25006" || state == "53300";
  return gone ? Fault::Kind::lost : Fault::Kind::failed;
}

// Classes 22 (data), 23 (constraints) and 54 (sizes): of what was sent, whoever sends it again.
ErrorKind meaning_of(std::string_view state) {
  const bool lasting = state.starts_with("22") || state.starts_with("23") || state.starts_with("54");
  return lasting ? ErrorKind::invalid : ErrorKind::io;
}

}  // namespace

Column& Column::add(std::int64_t value) {
  char item[12];
  write_number(item, 8, 4);
  write_number(item + 4, static_cast<std::uint64_t>(value), 8);
  array_.append(item, sizeof item);
  ++count_;
  return *this;
}

Column& Column::add(ByteView value) {
  append_number(array_, value.size(), 4);
  array_ += value;
  ++count_;
  return *this;
}

Column& Column::add(bool value) {
  append_number(array_, 1, 4);
  array_ += static_cast<char>(value);
  ++count_;
  return *this;
}

Bytes Column::encoded() && {
  const std::uint32_t type = static_cast<std::uint32_t>(type_);
  const std::uint32_t head[] = {1, 0, type, count_, 1};  // dimensions, NULLs, type, length, the first one's index
  for (std::size_t i = 0; i < std::size(head); ++i) write_number(array_.data() + i * 4, head[i], 4);
  if (count_ == 0) {  // an empty array has no dimension
    write_number(array_.data(), 0, 4);
    array_.resize(12);
  }
  return std::move(array_);
}

Values& Values::add(std::int64_t value) {
  append_number(values_.emplace_back(), static_cast<std::uint64_t>(value), 8);
  return *this;
}

Values& Values::add(ByteView value) {
  values_.emplace_back(value);
  return *this;
}

Values& Values::add(Column column) {
  values_.push_back(std::move(column).encoded());
  return *this;
}

bool Rows::is_null(std::size_t row, int column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), column) != 0;
}

std::int64_t Rows::bigint(std::size_t row, int column) const {
  std::uint64_t value = 0;
  for (char c : bytes(row, column)) value = value << 8 | static_cast<std::uint8_t>(c);
  return static_cast<std::int64_t>(value);
}

bool Rows::boolean(std::size_t row, int column) const { return bigint(row, column) != 0; }

ByteView Rows::bytes(std::size_t row, int column) const {
  return {PQgetvalue(result_.get(), static_cast<int>(row), column),
          static_cast<std::size_t>(PQgetlength(result_.get(), static_cast<int>(row), column))};
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& url) {
  char* why = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(url.c_str(), &why);
  if (parsed == nullptr) {
    const std::string said = why == nullptr ? "" : first_line(why);
    PQfreemem(why);
    return fail(ErrorKind::invalid, "the database's address can't be read (" + said +
                                        "): write it as postgresql://USER@HOST:PORT/DATABASE");
  }
  PQconninfoFree(parsed);
  // A server that does not answer is noticed; what the URL itself says of these counts instead.
  const char* const keys[] = {"connect_timeout",
                              "keepalives_idle",
                              "keepalives_interval",
                              "keepalives_count",
                              "tcp_user_timeout",
                              "application_name",
                              "dbname",
                              nullptr};
  const char* const values[] = {"5", "10", "5", "3", "20000", "tillsync", url.c_str(), nullptr};
  std::unique_ptr<Connection> made(new Connection(PQconnectdbParams(keys, values, 1)));
  PGconn* c = made->connection_.get();
  if (PQstatus(c) != CONNECTION_OK)
    return fail(ErrorKind::io, "the database can't be reached (" + first_line(PQerrorMessage(c)) +
                                   "): check that it runs and that its address is right");
  PQsetNoticeReceiver(
      c, [](void*, const PGresult*) {}, nullptr);
  if (PQserverVersion(c) < 140000)
    return fail(ErrorKind::invalid, "the database is older than PostgreSQL 14: upgrade it");
  if (PQenterPipelineMode(c) != 1) return fail(ErrorKind::io, "the database's client library has no pipeline mode");
  return made;
}

void Connection::send(const Statement& statement, const Values& values) {
  PGconn* c = connection_.get();
  if (prepared_.insert(statement.name).second) {
    broken_ = broken_ || PQsendPrepare(c, statement.name, statement.sql, 0, nullptr) != 1;
    sent_.push_back({false, statement.name});
  }
  std::vector<const char*> data;
  std::vector<int> lengths, formats(values.all().size(), kBinary);
  for (const Bytes& v : values.all()) {
    data.push_back(v.data());
    lengths.push_back(static_cast<int>(v.size()));
  }
  broken_ = broken_ || PQsendQueryPrepared(c, statement.name, static_cast<int>(data.size()), data.data(),
                                           lengths.data(), formats.data(), kBinary) != 1;
  sent_.push_back({true, {}});
}

void Connection::send_text(const std::string& sql) {
  broken_ =
      broken_ || PQsendQueryParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, kBinary) != 1;
  sent_.push_back({});
}

Fault Connection::fault_of(const PGresult* result) const {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* text = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string said = text != nullptr ? text : first_line(PQerrorMessage(connection_.get()));
  if (state == nullptr || !good())
    return {Fault::Kind::lost, {ErrorKind::io, "the connection to the database is lost (" + said + ")", {}}};
  return {kind_of(state), {meaning_of(state), "the database says: " + said, state}};
}

tl::expected<std::vector<Rows>, Fault> Connection::sync() {
  PGconn* c = connection_.get();
  std::vector<Rows> out;
  std::optional<Fault> fault;
  if (broken_ || PQpipelineSync(c) != 1) fault = fault_of(nullptr);
  for (std::size_t i = 0; i < sent_.size() && !broken_ && good(); ++i) {
    PGresult* first = PQgetResult(c);
    Rows rows(first);
    const ExecStatusType status = PQresultStatus(first);
    const bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!done) prepared_.erase(sent_[i].preparing);
    if (!done && !fault) fault = fault_of(first);
    if (sent_[i].wanted && !fault) out.push_back(std::move(rows));
    while (PGresult* rest = first == nullptr ? nullptr : PQgetResult(c)) PQclear(rest);
  }
  if (!broken_ && good()) PQclear(PQgetResult(c));  // of the sync itself
  if (!good() && !fault) fault = fault_of(nullptr);
  sent_.clear();
  if (fault) return tl::unexpected(std::move(*fault));
  return out;
}

tl::expected<Rows, Fault> Connection::run(const Statement& statement, const Values& values) {
  send(statement, values);
  auto done = sync();
  if (!done) return tl::unexpected(std::move(done.error()));
  return std::move(done->front());
}

std::optional<Fault> Connection::run_text(const std::string& sql) {
  send_text(sql);
  auto done = sync();
  return done ? std::nullopt : std::optional(std::move(done.error()));
}

std::string Connection::text_of(const std::string& sql) {
  const std::string name = "text:" + sql;
  auto rows = run({name.c_str(), sql.c_str()});
  return rows && !rows->empty() && !rows->is_null(0, 0) ? std::string(rows->bytes(0, 0)) : std::string();
}

Result<std::vector<std::string>> Connection::notifications(std::chrono::milliseconds timeout) {
  PGconn* c = connection_.get();
  pollfd waiting{PQsocket(c), POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(timeout.count())) > 0 && PQconsumeInput(c) != 1)
    return tl::unexpected(fault_of(nullptr).error);
  std::vector<std::string> out;
  while (PGnotify* notification = PQnotifies(c)) {
    out.emplace_back(notification->extra);
    PQfreemem(notification);
  }
  if (!good()) return tl::unexpected(fault_of(nullptr).error);
  return out;
}

}  // namespace tillsync::postgres
