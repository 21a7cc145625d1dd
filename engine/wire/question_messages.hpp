// Exclusive commands of the host, and questions of people with a key. Types, fields and who says
// them when are documented in docs/wire-protocol.md.
#pragma once

#include <cstdint>
#include <string>

#include "lease/messages.hpp"

namespace tillsync {

// What only the holder of an exclusive lease may do: a setting of the branch, which the cloud takes under the
// certificate of the highest term that it knows, and no lower one (fencing).
struct Command {
  static constexpr std::uint64_t kType = 40;
  std::uint64_t nonce = 0;
  std::string name;
  Binary value;  // MessagePack
  Certificate certificate;
  template <class A>
  void fields(A& a) {
    a(nonce, name, value, certificate);
  }
};

struct Commanded {
  static constexpr std::uint64_t kType = 41;
  std::uint64_t nonce = 0;
  std::string refusal;  // empty: done, and durable
  template <class A>
  void fields(A& a) {
    a(nonce, refusal);
  }
};

// Of a person's key to a till or a cloud: what it may ask is read-only, and answered in JSON.
struct Question {
  static constexpr std::uint64_t kType = 50;
  std::uint64_t nonce = 0;
  std::string what;      // lease, roster_held, conflicts
  std::string argument;  // of conflicts: how many to leave out at the beginning
  template <class A>
  void fields(A& a) {
    a(nonce, what, argument);
  }
};

struct Answer {
  static constexpr std::uint64_t kType = 51;
  std::uint64_t nonce = 0;
  std::string json;
  template <class A>
  void fields(A& a) {
    a(nonce, json);
  }
};

}  // namespace tillsync
