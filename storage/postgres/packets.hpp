// Stock events of one product that came together, as they lie in one value.
#pragma once

#include "storage/pack.hpp"
#include "storage/records.hpp"

namespace tillsync::postgres {

struct PackedEvent {
  Hlc hlc;
  std::int64_t chain = 0;  // the chain's row
  Seq seq;
  bool is_count = false;
  std::int64_t milli = 0;
  bool stocked = false;
  template <class A>
  void fields(A& a) {
    a(hlc, chain, seq, is_count, milli, stocked);
  }
};

}  // namespace tillsync::postgres
