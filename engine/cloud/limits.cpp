#include "engine/cloud/limits.hpp"

#include <algorithm>

namespace tillsync {

namespace {
Duration time_of(std::uint64_t amount, const Allowance& allowed) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(amount) * static_cast<double>(Duration::period::den) /
                                             static_cast<double>(std::max<std::uint64_t>(1, allowed.per_second))));
}
}  // namespace

Duration Meter::wait(Instant now, const Allowance& allowed, std::uint64_t amount) const {
  const Duration used = std::max<Duration>(full_at_ - now, Duration::zero());
  const std::uint64_t counted = std::min(amount, allowed.burst);
  return std::max<Duration>(used + time_of(counted, allowed) - time_of(allowed.burst, allowed), Duration::zero());
}

void Meter::take(Instant now, const Allowance& allowed, std::uint64_t amount) {
  full_at_ = std::max(full_at_, now) + time_of(amount, allowed);
}

Duration Limits::take(Instant now, const BranchKey& branch, const TillId& till, std::uint64_t ops,
                      std::uint64_t bytes) {
  if (meters_.size() > forget_at_) forget_idle(now);
  Meters& one = meters_[{branch, till.text}];
  Meters& all = meters_[{branch, ""}];
  const Duration wait =
      std::max({one.ops.wait(now, limits_.till_ops, ops), one.bytes.wait(now, limits_.till_bytes, bytes),
                all.ops.wait(now, limits_.branch_ops, ops), all.bytes.wait(now, limits_.branch_bytes, bytes)});
  if (wait > Duration::zero()) return wait;
  one.ops.take(now, limits_.till_ops, ops);
  one.bytes.take(now, limits_.till_bytes, bytes);
  all.ops.take(now, limits_.branch_ops, ops);
  all.bytes.take(now, limits_.branch_bytes, bytes);
  return Duration::zero();
}

void Limits::forget_idle(Instant now) {
  std::erase_if(meters_, [&](const auto& each) { return each.second.ops.idle(now) && each.second.bytes.idle(now); });
  forget_at_ = std::max<std::size_t>(1024, 2 * meters_.size());
}

}  // namespace tillsync
