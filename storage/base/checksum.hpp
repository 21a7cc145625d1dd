// The checksum of the journal, and of rows: SipHash-2-4 under an all-zero key, 64 bits. It finds damage, not malice;
// histories are protected by their hash chain and signatures.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <tillsync/bytes.hpp>

namespace tillsync {

std::uint64_t checksum(ByteView data);

}  // namespace tillsync
