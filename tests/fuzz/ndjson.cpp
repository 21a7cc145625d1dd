// Rows of headquarters: in one piece or in many, the same rows and the same complaints; and an import that goes on
// where it was cut off has brought what one that was not did.
#include <map>

#include "tests/fuzz/fuzz.hpp"
#include "transport/http/import/import_stream.hpp"

using namespace tillsync;
using fuzz::Input;

namespace {

struct Heard {
  std::vector<std::string> said;
  bool operator==(const Heard&) const = default;
};

template <class Cut>
Heard read(ByteView text, Cut cut) {
  Heard heard;
  NdjsonReader reader({[&](ImportRow row, std::uint64_t line, std::uint64_t end) {
                         heard.said.push_back(std::to_string(line) + " " + std::to_string(end) + " " + row.id +
                                              (row.deleted ? " gone" : " " + row.fields));
                         return true;
                       },
                       [&](const std::string& why, std::uint64_t line, std::uint64_t end) {
                         heard.said.push_back(std::to_string(line) + " " + std::to_string(end) + " bad: " + why);
                         return true;
                       }});
  while (!text.empty()) {
    const std::size_t n = std::min<std::size_t>(text.size(), cut());
    fuzz::require(reader.feed(text.substr(0, n)), "a reader that was not told to stop stopped");
    text.remove_prefix(n);
  }
  reader.finish();
  return heard;
}

struct Target {
  std::map<std::string, std::string> rows;
  std::string checkpoint;
};

// False when it was cut off, or refused.
bool import(Target& to, ByteView text, bool stop_on_bad) {
  ImportStream stream(
      {[&](std::vector<ImportRow> rows, const std::string& from, const std::string& next) -> Result<std::uint64_t> {
         fuzz::require(from == to.checkpoint, "a batch that follows nothing");
         for (ImportRow& row : rows) row.deleted ? void(to.rows.erase(row.id)) : void(to.rows[row.id] = row.fields);
         to.checkpoint = next;
         return rows.size();
       },
       [](std::uint64_t, const std::string&) {}},
      to.checkpoint, stop_on_bad, true);
  return stream.feed(text).has_value() && stream.finish().has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const Bytes cuts = in.take(8);
  const ByteView text = in.rest();
  std::size_t i = 0;
  const auto some = [&] { return cuts.empty() ? 1 : 1 + static_cast<std::uint8_t>(cuts[i++ % cuts.size()]) % 64; };
  fuzz::require(read(text, [&] { return text.size(); }) == read(text, some), "rows depend on how they came");
  Target whole, resumed;
  const bool done = import(whole, text, false);
  (void)import(resumed, text, true);  // ends at the first bad line
  fuzz::require(import(resumed, text, false) == done && resumed.rows == whole.rows,
                "an import that was resumed differs");
  return 0;
}
