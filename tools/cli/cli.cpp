#include "tools/cli/cli.hpp"

namespace tillsync::cli {

std::string age(std::int64_t ms) {
  const std::int64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  return s < 172800 ? std::to_string(s / 3600) + " h" : std::to_string(s / 86400) + " days";
}

}  // namespace tillsync::cli
