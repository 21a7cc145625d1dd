#include "transport/till/crash_mark.hpp"

#include <unistd.h>

#include <charconv>

namespace tillsync {

std::optional<int> CrashMark::starts_beside() const {
  const auto mark = read_file(file_);
  if (!mark) return std::nullopt;
  if (mark->empty()) return 0;
  int starts = 0;
  const char* end = mark->data() + mark->size();
  const auto [rest, error] = std::from_chars(mark->data(), end, starts);
  return error == std::errc() && rest == end ? starts : kBesideAtMost;
}

void CrashMark::remove() const { ::unlink(file_.c_str()); }

}  // namespace tillsync
