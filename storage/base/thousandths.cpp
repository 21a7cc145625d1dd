#include "storage/base/thousandths.hpp"

#include <cstdlib>

namespace tillsync {

std::string thousandths(std::int64_t milli) {
  const std::uint64_t size = milli < 0 ? 0 - static_cast<std::uint64_t>(milli) : static_cast<std::uint64_t>(milli);
  std::string out = (milli < 0 ? "-" : "") + std::to_string(size / 1000);
  if (size % 1000 == 0) return out;
  std::string rest = std::to_string(1000 + size % 1000).substr(1);
  while (rest.back() == '0') rest.pop_back();
  return out + "." + rest;
}

std::string money(std::int64_t minor) {
  const std::string cents = std::to_string(std::abs(minor % 100));
  return std::string(minor < 0 ? "-" : "") + std::to_string(std::abs(minor / 100)) + "." +
         (cents.size() < 2 ? "0" : "") + cents;
}

}  // namespace tillsync
