#include "tools/client/sales/csv.hpp"

namespace tillsync::sales {

namespace {

constexpr std::size_t kMaxRow = 1 << 20;

bool is_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t more = c < 0x80                ? 0
                             : c >= 0xc2 && c < 0xe0 ? 1
                             : c >= 0xe0 && c < 0xf0 ? 2
                             : c >= 0xf0 && c < 0xf5 ? 3
                                                     : 9;
    if (more == 9 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

std::string from_latin1(const std::string& text) {
  std::string out;
  for (char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (c < 0x80) {
      out += raw;
    } else {
      out += static_cast<char>(0xc0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3f));
    }
  }
  return out;
}

// A record: physical lines until the quotes are even.
bool next_record(std::istream& in, std::string& record, std::uint64_t& lines, bool& broken) {
  record.clear();
  std::string line;
  bool open = false;
  broken = false;
  while (std::getline(in, line)) {
    ++lines;
    for (char c : line) open = open != (c == '"');
    record += line;
    if (!open) return true;
    record += '\n';
    if (record.size() > kMaxRow) return broken = true;
  }
  broken = open;
  return !record.empty();
}

std::vector<std::string> split(const std::string& record) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < record.size(); ++i) {
    const char c = record[i];
    if (c == '"') {
      if (quoted && i + 1 < record.size() && record[i + 1] == '"') {
        fields.back() += '"', ++i;
      } else {
        quoted = !quoted;
      }
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  for (std::string& field : fields) {
    if (!is_utf8(field)) field = from_latin1(field);
  }
  return fields;
}

}  // namespace

void read_csv(std::istream& in, const std::function<void(CsvRow)>& visit) {
  std::string record;
  std::uint64_t lines = 0;
  bool first = true, broken = false;
  for (;;) {
    const std::uint64_t before = lines;
    if (!next_record(in, record, lines, broken)) return;
    if (first && record.starts_with("\xef\xbb\xbf")) record.erase(0, 3);
    first = false;
    if (!record.empty() && record.back() == '\r') record.pop_back();
    if (record.find_first_not_of(" \t") == std::string::npos) continue;
    visit({before + 1, broken ? std::vector<std::string>{} : split(record), broken});
  }
}

}  // namespace tillsync::sales
