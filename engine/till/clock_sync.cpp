#include "engine/till/clock_sync.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "storage/base/pack.hpp"

namespace tillsync {

ClockSync::ClockSync(const TillContext& context, LocalLog& log, const TillState& stored)
    : context_(context), log_(log), offset_ms_(stored.clock_offset_ms) {}

void ClockSync::on_recorded(Seq seq) {
  if (!known_ && !first_undated_) first_undated_ = seq;
}

bool ClockSync::on_time(Now now, std::int64_t true_ms, Actions& out) {
  const std::int64_t offset_ms = true_ms - now.wall_ms;
  const std::int64_t error = offset_ms - offset_ms_;
  const bool first_time = !std::exchange(known_, true);
  const auto since = std::exchange(first_undated_, {});
  if (std::llabs(error) <= kToleranceMs) return false;
  offset_ms_ = offset_ms;
  dirty_ = true;
  if (std::llabs(error) < kWrongMs) return false;
  out.warn("this machine's clock is wrong by " + std::to_string(-offset_ms / 1000) +
           " s: sales are dated by the cloud's time; set the clock");
  const std::int64_t last_ms = log_.hlc().millis();
  const bool stamped_ahead = last_ms > true_ms + HlcClock::kMaxAheadMillis;
  if (!first_time || (!since && !stamped_ahead) || log_.last().seq == Seq{}) return false;
  record_correction(since.value_or(log_.last().seq), error);
  log_.clock().restart_at(Hlc::at(std::min(last_ms + error, true_ms)));
  return true;
}

void ClockSync::record_correction(Seq from, std::int64_t error_ms) {
  const Incarnation incarnation = log_.chain().incarnation;
  const Seq last = log_.last().seq;
  Op op;
  op.kind = OpKind::clock_correction;
  op.key = "clock/" + context_.self().text + "/" + std::to_string(incarnation.value) + "/" + std::to_string(last.value);
  op.body = pack(Correction{incarnation, from, last, error_ms});
  log_.record_own(std::move(op));
}

void ClockSync::write(const Moment&, Checkpoint& into) {
  into.state.clock_offset_ms = offset_ms_;
  dirty_ = false;
}

}  // namespace tillsync
