// How long the torture lasts: ./dev torture runs it in full, ./dev test for seconds.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace tillsync::torture {

inline bool in_full() { return std::getenv("TILLSYNC_TORTURE") != nullptr; }
inline std::uint64_t scaled(std::uint64_t full, std::uint64_t little) { return in_full() ? full : little; }

}  // namespace tillsync::torture
