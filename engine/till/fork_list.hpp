// The forks of this till's own history that are not settled yet, and the histories of which others told and that this
// disk does not have. Stored with the till's state.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/till/stored_part.hpp"

namespace tillsync {

class ForkList final : public StoredPart {
 public:
  explicit ForkList(const TillState& stored) : forks_(stored.forks), lost_(stored.lost), seen_(stored.forks_seen) {}

  void begin(ForkState fork) { add(fork), ++seen_; }  // counted
  void add(ForkState fork) { forks_.push_back(fork), dirty_ = true; }
  // Settled once, and now it must be compared again: after those that are open.
  void reopen(ForkState fork) { forks_.insert(forks_.begin(), fork), dirty_ = true; }
  void count() { ++seen_; }
  void settle_newest() { forks_.pop_back(); }
  void doubt_cloud() {
    for (ForkState& fork : forks_) fork.in_cloud = {};
  }

  bool empty() const { return forks_.empty(); }
  const std::vector<ForkState>& all() const { return forks_; }
  const ForkState& newest() const { return forks_.back(); }
  // To be changed, and stored with the next checkpoint.
  ForkState& change_newest() { return dirty_ = true, forks_.back(); }
  ForkState* find(Incarnation old) {
    const auto it = std::ranges::find(forks_, old, &ForkState::old_incarnation);
    return it == forks_.end() ? nullptr : &*it;
  }
  const ForkState* find(Incarnation old) const { return const_cast<ForkList*>(this)->find(old); }
  void on_changed() { dirty_ = true; }
  std::uint64_t seen() const { return seen_; }

  void add_lost(Incarnation history) { lost_.push_back(history); }
  bool is_lost(Incarnation history) const { return std::ranges::find(lost_, history) != lost_.end(); }

  std::optional<Instant> due() const override { return dirty_ ? std::optional(kAtOnce) : std::nullopt; }
  void write(const Moment&, Checkpoint& into) override {
    into.state.forks = forks_;
    into.state.lost = lost_;
    into.state.forks_seen = seen_;
    dirty_ = false;
  }

 private:
  std::vector<ForkState> forks_;  // the newest last; settled from there
  std::vector<Incarnation> lost_;
  std::uint64_t seen_ = 0;
  bool dirty_ = false;
};

}  // namespace tillsync
