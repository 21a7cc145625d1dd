#include "transport/http/import/import_stream.hpp"

#include "transport/api/json_values.hpp"

namespace tillsync {

std::string Fingerprint::hex() const {
  auto copy = state_;
  unsigned char hash[kBytes];
  char text[2 * kBytes + 1];
  crypto_generichash_final(&copy, hash, kBytes);
  return sodium_bin2hex(text, sizeof text, hash, kBytes);
}

std::string ImportStream::Checkpoint::text() const {
  return json_text({{"lines", lines}, {"bytes", bytes}, {"fingerprint", begins_with}, {"done", done}});
}

ImportStream::Checkpoint ImportStream::Checkpoint::parse(const std::string& text) {
  const Json json = parse_json(text).value_or(Json());
  const auto number = [&](const char* field) {
    const auto it = json.find(field);
    return it != json.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
  };
  const auto done = json.find("done");
  return {number("lines"), number("bytes"), text_of(json, "fingerprint"), done != json.end() && *done == true};
}

ImportStream::ImportStream(Events events, std::string stored, bool stop_on_bad, bool resume)
    : events_(std::move(events)), stored_(std::move(stored)), stop_on_bad_(stop_on_bad) {
  const Checkpoint known = Checkpoint::parse(stored_);
  resume&& known.bytes > 0 && !known.done ? void(behind_ = known) : begin({});
}

void ImportStream::begin(const Checkpoint& at) {
  at_ = at;
  resumed_lines_ = at.lines;
  reader_.emplace(
      NdjsonReader::Events{
          [this](ImportRow row, std::uint64_t line, std::uint64_t end) { return take(std::move(row), line, end); },
          [this](const std::string& why, std::uint64_t line, std::uint64_t end) { return bad(why, line, end); }},
      at.lines, at.bytes);
}

Result<void> ImportStream::feed(ByteView piece) {
  if (error_) return tl::unexpected(*error_);
  if (auto skipped = skip(piece); !skipped) return skipped;
  if (behind_) return {};
  piece_ = piece;
  if (!reader_->feed(piece)) return tl::unexpected(ended());
  hash_up_to(hashed_ + piece_.size());
  return {};
}

void ImportStream::hash_up_to(std::uint64_t end) {
  const ByteView fresh = piece_.substr(0, end - hashed_);
  read_.add(fresh);
  piece_.remove_prefix(fresh.size());
  hashed_ = end;
}

void ImportStream::reach(std::uint64_t line, std::uint64_t end) {
  hash_up_to(end);
  at_.lines = line, at_.bytes = end;
  read_to_here_ = read_;
}

// What an earlier run has brought; the rest of the piece stays.
Result<void> ImportStream::skip(ByteView& piece) {
  if (!behind_) return {};
  const ByteView known = piece.substr(0, std::min<std::uint64_t>(piece.size(), behind_->bytes - hashed_));
  read_.add(known);
  hashed_ += known.size();
  piece.remove_prefix(known.size());
  if (hashed_ < behind_->bytes) return {};
  if (read_.hex() != behind_->begins_with) {
    error_ = Error{ErrorKind::not_found, "this is not what an earlier import ended in: send it without resuming", {}};
    return tl::unexpected(*error_);
  }
  begin(*behind_);
  read_to_here_ = read_;
  behind_.reset();
  return {};
}

Result<void> ImportStream::finish() {
  if (error_) return tl::unexpected(*error_);
  if (behind_)
    return fail(ErrorKind::not_found,
                "this is shorter than what an earlier import has brought: send it without resuming");
  if (!reader_->finish()) return tl::unexpected(ended());
  if (!flush(true)) return tl::unexpected(*error_);
  return {};
}

bool ImportStream::take(ImportRow row, std::uint64_t line, std::uint64_t end) {
  ++rows_;
  batch_bytes_ += row.fields.size() + row.id.size();
  batch_.push_back(std::move(row));
  reach(line, end);
  return (batch_.size() < kBatchRows && batch_bytes_ < kBatchBytes) || flush(false);
}

bool ImportStream::bad(const std::string& why, std::uint64_t line, std::uint64_t end) {
  ++left_out_;
  if (stop_on_bad_) {
    const std::string where = "line " + std::to_string(line) + ": " + why;
    if (flush(false))
      error_ =
          Error{ErrorKind::invalid,
                where + "; what comes before it is imported: mend the line, then import it again, which goes on there",
                {}};
    return false;
  }
  events_.bad(line, why);
  reach(line, end);
  return true;
}

bool ImportStream::flush(bool done) {
  if (batch_.empty() && !done) return true;
  at_.begins_with = read_to_here_.hex();
  at_.done = done;
  const std::string to = at_.text();
  auto changed = events_.put(std::move(batch_), stored_, to);
  batch_.clear();
  batch_bytes_ = 0;
  if (!changed) {
    error_ = changed.error();
    return false;
  }
  stored_ = to;
  changed_ += *changed;
  return true;
}

Error ImportStream::ended() {
  if (!error_) error_ = Error{ErrorKind::io, "the import ended", {}};
  return *error_;
}

}  // namespace tillsync
