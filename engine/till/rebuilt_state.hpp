// Where a till stands whose database is rebuilt from its journal.
#pragma once

#include "storage/model/records.hpp"

namespace tillsync {

// `first` is the oldest op that the journal still has. Segments before it went because the cloud holds all that was in
// them: the history starts there, and the vault gets the older ops back from the cloud, as it would after a fork.
inline TillState state_before(const Op& first) {
  TillState state;
  state.incarnation = first.chain.incarnation;
  state.last = state.cloud = {Seq{first.seq.value - 1}, first.prev};
  if (state.last.seq > Seq{}) {
    state.forks.push_back({state.incarnation, state.last, {}, first.seq, first.seq, {}, {}});
  }
  return state;
}

}  // namespace tillsync
