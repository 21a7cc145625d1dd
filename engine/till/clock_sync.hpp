// How wrong this machine's clock is, going by the cloud's time or what the host has of it. The offset applies to new
// ops; ops recorded while the clock was badly wrong are re-dated by a signed op of their own.
#pragma once

#include <optional>

#include "engine/till/local_log.hpp"

namespace tillsync {

class ClockSync final : public StoredPart {
 public:
  static constexpr std::int64_t kToleranceMs = 2000;
  static constexpr std::int64_t kWrongMs = 60'000;  // beyond this, recorded ops are re-dated

  ClockSync(const TillContext& context, LocalLog& log, const TillState& stored);

  std::int64_t corrected(Now now) const { return now.wall_ms + offset_ms_; }
  std::int64_t offset_ms() const { return offset_ms_; }
  bool known() const { return known_; }  // heard since the start

  void on_recorded(Seq seq);
  // What somebody who knows the time says that it is now. True if own ops are re-dated: stamps begin anew.
  bool on_time(Now now, std::int64_t true_ms, Actions& out);

  std::optional<Instant> due() const override { return dirty_ ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment& at, Checkpoint& into) override;

 private:
  void record_correction(Seq from, std::int64_t error_ms);

  const TillContext& context_;
  LocalLog& log_;
  std::int64_t offset_ms_;
  bool known_ = false;
  std::optional<Seq> first_undated_;  // first op recorded since the start, before the time was known
  bool dirty_ = false;
};

}  // namespace tillsync
