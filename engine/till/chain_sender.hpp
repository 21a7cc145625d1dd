// Sends one chain to one receiver: offers, learns the watermark, then streams batches in seq order with a bounded
// number in flight. It decides; whoever owns it reads the ops and signs.
#pragma once

#include <deque>
#include <optional>
#include <tillsync/time.hpp>

#include "storage/model/records.hpp"

namespace tillsync {

class ChainSender {
 public:
  static constexpr std::size_t kMaxInFlight = 16;  // batches: while some are written there, the next are on their way
  static constexpr Duration kPatience = std::chrono::seconds(10);

  // True once after (re)connecting, when an answer is overdue, and with `repeat` every kPatience: send an HistoryOffer.
  bool next_offer(Instant now, bool repeat);
  // The seq to send from, when there is something up to `last` and room for it.
  std::optional<Seq> next_batch(Seq last) const;
  // What it wants to send is not held here any more: the receiver is asked again, after kPatience, where it stands.
  void on_gone(Instant now);
  void on_sent(Instant now, Seq end);

  // The receiver's watermark, whether as an answer to an offer or as an acknowledgement.
  void on_held(Instant now, Seq held);
  // It takes nothing before that time, and dropped what was on its way: asked again then.
  void on_busy(Instant until);
  // It lost track (a gap, or a refusal): start again from its watermark.
  void on_behind(Seq held);
  std::optional<Instant> next_wake() const;
  Seq held() const { return held_; }
  bool known() const { return known_; }

 private:
  bool offered_ = false;
  bool repeat_ = false;
  bool known_ = false;  // the receiver has answered
  Seq held_;
  Seq next_;
  std::deque<Seq> in_flight_;  // the last op of each batch that is not answered yet
  Instant last_progress_, busy_until_;
};

}  // namespace tillsync
