// Says from time to time up to where this till's past is complete: every later op is stamped after that. It is said
// only once the stamp is stored, so that a restart can't go back behind it.
#pragma once

#include <optional>

#include "engine/till/local_log.hpp"
#include "engine/till/peer_table.hpp"

namespace tillsync {

class ProgressReporter final : public StoredPart {
 public:
  static constexpr Duration kEvery = seconds(60);

  ProgressReporter(const TillContext& context, const PeerTable& peers, LocalLog& log)
      : context_(context), peers_(peers), log_(log) {}

  void advance(const Moment& at);
  void cancel() { progress_.reset(); }  // stamps begin anew
  Instant next_wake(bool has_upstream, Instant latest) const;

  std::optional<Instant> due() const override { return progress_ && !storing_ ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment&, Checkpoint&) override { storing_ = progress_.has_value(); }
  void on_stored(const Moment& at, Actions& out) override;

 private:
  const TillContext& context_;
  const PeerTable& peers_;
  LocalLog& log_;
  std::optional<Progress> progress_;  // to be said once its stamp is stored
  bool storing_ = false;
  Instant next_;
};

}  // namespace tillsync
