// For whoever mistyped a name: the known one that is nearest to it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tillsync {

std::string_view nearest_of(std::string_view typed, std::span<const std::string_view> known);  // empty: none is known

}  // namespace tillsync
