// How far the host, and the till that keeps a second copy of the host's own ops, hold this till's current history. It
// counts for the present host only.
#pragma once

#include "storage/model/records.hpp"

namespace tillsync {

struct SecondCopies {
  ChainPoint host;
  ChainPoint keeper;

  void clear() { host = keeper = {}; }
};

}  // namespace tillsync
