// The window of a sender: what is under way, and what an answer says about it.
#include <doctest/doctest.h>

#include "engine/till/chain_sender.hpp"

using namespace tillsync;

namespace {

constexpr std::uint64_t kBatch = 100;

struct Sending {
  ChainSender sender;
  Instant now{};
  Seq last{1'000'000};

  Sending() {
    CHECK(sender.next_offer(now, false));
    sender.on_held(now, Seq{0});
  }
  // Sends until the window is full; how many batches that were.
  std::size_t fill() {
    std::size_t sent = 0;
    while (const auto from = sender.next_batch(last)) {
      sender.on_sent(now, Seq{from->value + kBatch - 1});
      ++sent;
    }
    return sent;
  }
};

}  // namespace

TEST_CASE("one answer for all that became durable together makes room for as many") {
  Sending s;
  CHECK(s.fill() == ChainSender::kMaxInFlight);
  s.sender.on_held(s.now, Seq{5 * kBatch});
  CHECK(s.fill() == 5);
  s.sender.on_held(s.now, Seq{(ChainSender::kMaxInFlight + 5) * kBatch});
  CHECK(s.fill() == ChainSender::kMaxInFlight);
}

TEST_CASE("a batch that is held in part is still under way") {
  Sending s;
  s.fill();
  s.sender.on_held(s.now, Seq{kBatch + 1});
  CHECK(s.fill() == 1);
}

TEST_CASE("when all that was sent is refused, the sender begins again where the receiver is") {
  Sending s;
  s.fill();
  for (std::size_t i = 0; i < ChainSender::kMaxInFlight; ++i) s.sender.on_held(s.now, Seq{0});
  CHECK(s.sender.next_batch(s.last) == Seq{1});
}

TEST_CASE("a receiver that lost what it had is sent it again") {
  Sending s;
  s.fill();
  s.sender.on_held(s.now, Seq{3 * kBatch});
  s.sender.on_held(s.now, Seq{kBatch});
  CHECK(s.sender.next_batch(s.last) == Seq{kBatch + 1});
}
