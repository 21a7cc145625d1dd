// How people write quantities and money: "2", "0.25", "-1.5".
#pragma once

#include <cstdint>
#include <string>

namespace tillsync {

std::string thousandths(std::int64_t milli);

}  // namespace tillsync
