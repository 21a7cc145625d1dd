// Messages in words, for traces.
#pragma once

#include <string>
#include <tillsync/bytes.hpp>

namespace tillsync::sim {

std::string describe(ByteView message);  // as it goes over the wire

}  // namespace tillsync::sim
