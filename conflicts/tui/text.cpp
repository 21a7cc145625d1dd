#include "conflicts/tui/text.hpp"

#include <wchar.h>

#include <algorithm>
#include <cstdlib>

namespace tillsync::tui {

namespace {

// The character that begins at `at`, and how many bytes it has; what is no UTF-8 counts as one '?' a byte.
std::pair<wchar_t, std::size_t> next(const std::string& text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return {L'?', 1};
  if (length == 1) return {static_cast<wchar_t>(first), 1};
  auto c = static_cast<wchar_t>(first & (0x7f >> length));
  for (std::size_t i = 1; i < length; ++i) {
    const auto more = static_cast<unsigned char>(text[at + i]);
    if (more >> 6 != 2) return {L'?', 1};
    c = static_cast<wchar_t>(c << 6 | (more & 0x3f));
  }
  return {c, length};
}

// Where the locale knows a character not, it is taken for an ordinary one.
std::size_t width_of(wchar_t c) {
  const int width = ::wcwidth(c);
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

std::size_t columns(const std::string& text) {
  std::size_t sum = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, length] = next(text, at);
    sum += width_of(c);
    at += length;
  }
  return sum;
}

std::string cut(const std::string& text, std::size_t width) {
  if (columns(text) <= width) return text;
  const std::size_t room = width < 2 ? 0 : width - 2;
  std::size_t used = 0, at = 0;
  while (at < text.size()) {
    const auto [c, length] = next(text, at);
    if (used + width_of(c) > room) break;
    used += width_of(c);
    at += length;
  }
  return text.substr(0, at) + std::string(width - used < 2 ? width - used : 2, '.');
}

std::string fit(const std::string& text, std::size_t width) {
  std::string out = cut(text, width);
  return out + std::string(width - columns(out), ' ');
}

std::string fit_right(const std::string& text, std::size_t width) {
  const std::string out = cut(text, width);
  return std::string(width - columns(out), ' ') + out;
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (columns(line) + 1 + columns(word) <= width) {
      line += ' ' + word;
    } else {
      lines.push_back(word);
    }
    at = end + 1;
  }
  return lines;
}

void erase_last(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

std::string plain(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, length] = next(text, at);
    const bool readable = c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && (c != L'?' || text[at] == '?');
    out += readable ? text.substr(at, length) : "?";
    at += length;
  }
  return out;
}

std::string ago(std::int64_t ms) {
  const std::int64_t s = std::max<std::int64_t>(ms, 0) / 1000;
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return std::to_string(s / 60) + " min";
  if (s < 48 * 3600) return std::to_string(s / 3600) + " h";
  return std::to_string(s / 86400) + " days";
}

}  // namespace tillsync::tui
