#include "transport/http/import/ndjson.hpp"

#include "transport/api/json_values.hpp"

namespace tillsync {

namespace {

// Nothing, and why, when it is no row.
std::optional<ImportRow> row_of(ByteView line, std::string& why) {
  auto parsed = parse_json(line, kMaxValueDepth);
  if (!parsed || !parsed->is_object()) {
    const bool too_deep = !parsed && parsed.error().kind == ErrorKind::refused;
    why = too_deep ? parsed.error().message : "no JSON object";
    return std::nullopt;
  }
  Json& json = *parsed;
  const auto id = json.find("id");
  if (id == json.end() || !id->is_string() || id->get_ref<const std::string&>().empty() ||
      id->get_ref<const std::string&>().size() > NdjsonReader::kMaxId ||
      id->get_ref<const std::string&>().find('\0') != std::string::npos) {
    why = "no \"id\": a text of 1 to 128 bytes";
    return std::nullopt;
  }
  const auto deleted = json.find("deleted");
  if (deleted != json.end() && !deleted->is_boolean()) {
    why = "\"deleted\" is neither true nor false";
    return std::nullopt;
  }
  ImportRow row{id->get<std::string>(), deleted != json.end() && deleted->get<bool>(), {}};
  json.erase("id"), json.erase("deleted");
  row.fields = fields_from(json);
  return row;
}

}  // namespace

bool NdjsonReader::feed(ByteView piece) {
  for (;;) {
    const std::size_t feed = piece.find('\n');
    const ByteView part = piece.substr(0, feed);
    if (begun_.size() + part.size() > kMaxLine) too_long_ = true;
    end_ += part.size() + (feed == ByteView::npos ? 0 : 1);
    if (feed == ByteView::npos) {
      too_long_ ? begun_.clear() : void(begun_ += part);
      return true;
    }
    const bool whole = begun_.empty();
    if (!whole && !too_long_) begun_ += part;
    if (!take_line(whole ? part : ByteView(begun_))) return false;
    begun_.clear();
    piece.remove_prefix(feed + 1);
  }
}

bool NdjsonReader::finish() {
  const Bytes last = std::move(begun_);
  begun_.clear();
  return (last.empty() && !too_long_) || take_line(last);
}

bool NdjsonReader::take_line(ByteView line) {
  ++line_;
  if (std::exchange(too_long_, false)) return events_.bad("longer than 1 MiB", line_, end_);
  if (line.find_first_not_of(" \t\r") == ByteView::npos) return true;
  std::string why;
  auto row = row_of(line, why);
  return row ? events_.row(std::move(*row), line_, end_) : events_.bad(why, line_, end_);
}

}  // namespace tillsync
