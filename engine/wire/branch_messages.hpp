// What the members of a branch say of themselves and of its roster; heartbeat and time. Types, fields and who says
// them when are documented in docs/wire-protocol.md.
#pragma once

#include <cstdint>
#include <tillsync/bytes.hpp>

#include "storage/model/records.hpp"

namespace tillsync {

// Heartbeat and time: the answer carries the sender's corrected wall time and whether it knows it from the cloud.
struct Ping {
  static constexpr std::uint64_t kType = 1;
  std::uint64_t nonce = 0;
  template <class A>
  void fields(A& a) {
    a(nonce);
  }
};

struct Pong {
  static constexpr std::uint64_t kType = 2;
  std::uint64_t nonce = 0;
  std::int64_t wall_ms = 0;
  bool from_cloud = false;
  template <class A>
  void fields(A& a) {
    a(nonce, wall_ms, from_cloud);
  }
};

// How a till is: said to each other till on connecting, and when it has changed, at most every few seconds.
struct Vitals {
  static constexpr std::uint64_t kType = 5;
  std::uint32_t fitness = 0;         // to host; see docs/lease.md
  std::uint64_t unsent = 0;          // of its own ops, not in the cloud yet
  std::uint64_t roster_version = 0;  // durably held
  bool operator==(const Vitals&) const = default;
  template <class A>
  void fields(A& a) {
    a(fitness, unsent, roster_version);
  }
};

struct NewRoster {
  static constexpr std::uint64_t kType = 3;
  Binary roster;
  template <class A>
  void fields(A& a) {
    a(roster);
  }
};

// A type that the receiver does not know is answered, so that a newer sender can tell.
struct Unknown {
  static constexpr std::uint64_t kType = 4;
  std::uint64_t type = 0;
  bool answer = false;  // true: the peer did not know a message of ours; false: we do not know one of its own
  template <class A>
  void fields(A& a) {
    a(type);
  }
};

}  // namespace tillsync
