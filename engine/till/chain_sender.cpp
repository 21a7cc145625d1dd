#include "engine/till/chain_sender.hpp"

#include <algorithm>

namespace tillsync {

bool ChainSender::next_offer(Instant now, bool repeat) {
  repeat_ = repeat;
  const bool overdue = offered_ && (repeat || !known_ || !in_flight_.empty()) && now >= last_progress_ + kPatience;
  if (offered_ && !overdue) return false;
  offered_ = true;
  known_ = false;
  in_flight_.clear();
  last_progress_ = now;
  return true;
}

std::optional<Seq> ChainSender::next_batch(Seq last) const {
  if (!known_ || in_flight_.size() >= kMaxInFlight || next_ > last) return std::nullopt;
  return next_;
}

void ChainSender::on_gone(Instant now) {
  known_ = false;
  in_flight_.clear();
  last_progress_ = now;
}

void ChainSender::on_sent(Instant now, Seq end) {
  if (in_flight_.empty()) last_progress_ = now;
  in_flight_.push_back(end);
  next_ = end.next();
}

void ChainSender::on_busy(Instant until) {
  known_ = false;
  in_flight_.clear();
  busy_until_ = until;
  last_progress_ = until - kPatience;  // then an answer is overdue
}

void ChainSender::on_held(Instant now, Seq held) {
  if (now < busy_until_) return;  // to what was sent before it was busy
  last_progress_ = now;
  if (!known_) {
    known_ = true;
    held_ = held;
    next_ = held.next();
    return;
  }
  // One answer for all that became durable together; one that names none of them refused the first.
  const auto open = std::ranges::upper_bound(in_flight_, held);
  const auto answered = open - in_flight_.begin();
  in_flight_.erase(in_flight_.begin(), answered == 0 && !in_flight_.empty() ? open + 1 : open);
  if (held < held_) return on_behind(held);  // a restored receiver: it tells the truth about what it has now
  held_ = held;
  if (held.next() > next_) next_ = held.next();
  if (in_flight_.empty() && next_ > held.next()) next_ = held.next();  // something was dropped on the way
}

void ChainSender::on_behind(Seq held) {
  held_ = held;
  next_ = held.next();
  in_flight_.clear();
}

std::optional<Instant> ChainSender::next_wake() const {
  if (!offered_ || (known_ && in_flight_.empty() && !repeat_)) return std::nullopt;
  return last_progress_ + kPatience;
}

}  // namespace tillsync
