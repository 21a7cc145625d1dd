// Names, ids, skus and keys as the tables have them where they are looked for: a text that is too long for an index is
// shortened.
#pragma once

#include "storage/model/store_key.hpp"

namespace tillsync::postgres {

inline Bytes indexed(ByteView text) { return bounded(text, kLongestIndexed); }
inline bool is_shortened(ByteView text) { return text.size() == kLongestIndexed; }

}  // namespace tillsync::postgres
