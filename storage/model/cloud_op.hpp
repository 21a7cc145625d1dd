// An op as the cloud keeps it, and what it did there.
#pragma once

#include <cstdint>
#include <string>
#include <tillsync/op.hpp>

namespace tillsync {

// What an op did: took effect; was known already; is another of the same name or a word that came too late; breaks a
// rule. All but the first have none.
enum class OpEffect : std::uint8_t { applied = 0, duplicate = 1, conflict = 2, dead = 3 };

struct CloudOp {
  ChainId chain;
  Seq seq;
  std::string key;
  Bytes bytes;
  OpEffect effect = OpEffect::applied;
};

}  // namespace tillsync
