#include "engine/till/vitals_exchange.hpp"

#include <algorithm>

namespace tillsync {

void VitalsExchange::tell(Instant now, const Vitals& mine, Actions& out) {
  due_.reset();
  for (const auto& [id, peer] : peers_.all()) {
    if (peer.role != Role::till) continue;
    Sent& last = last_sent_[id];
    if (last.vitals == mine) continue;
    const bool only_unsent =
        last.vitals && last.vitals->fitness == mine.fitness && last.vitals->roster_version == mine.roster_version;
    if (only_unsent && now < last.next) {
      due_ = std::min(due_.value_or(last.next), last.next);
      continue;
    }
    last = {mine, now + kEvery};
    out.send(id, mine);
  }
}

}  // namespace tillsync
