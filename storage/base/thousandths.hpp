// How people write quantities and money: "2", "0.25", "-1.5".
#pragma once

#include <cstdint>
#include <string>

namespace tillsync {

std::string thousandths(std::int64_t milli);
std::string money(std::int64_t minor);  // "1.50"

}  // namespace tillsync
