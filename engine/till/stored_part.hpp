// What the parts of a till agree on about the database: each says when it has something to store, writes it into the
// checkpoint, and is told once that is durable (engine/till/checkpointer.hpp).
#pragma once

#include "engine/actions.hpp"
#include "engine/till/till_context.hpp"

namespace tillsync {

// One database transaction as it is put together.
struct Checkpoint {
  TillView& view;  // what was stored before
  StoreBatch& batch;
  TillState& state;  // each part sets the fields it owns
  Actions& out;
};

class StoredPart {
 public:
  // When this part wants to be stored; a time that has passed means at once. Nothing: it can wait for the others.
  virtual std::optional<Instant> due() const = 0;
  virtual void write(const Moment& at, Checkpoint& into) = 0;
  virtual void on_stored(const Moment&, Actions&) {}

  static constexpr Instant kAtOnce{};

 protected:
  StoredPart() = default;
  ~StoredPart() = default;
  StoredPart(const StoredPart&) = default;
};

// What may wait a little, so that one checkpoint takes much: the first to ask sets the time.
class CheckpointTimer {
 public:
  static constexpr Duration kSoon = seconds(1);

  void start(Instant at) {
    if (!at_) at_ = at;
  }
  void start_soon(Instant now) { start(now + kSoon); }
  const std::optional<Instant>& at() const { return at_; }
  void stop() { at_.reset(); }

 private:
  std::optional<Instant> at_;
};

}  // namespace tillsync
