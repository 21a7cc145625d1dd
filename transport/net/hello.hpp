// What two ends tell each other inside the handshake: who they are, which protocol versions they speak, and the roster
// that says so, which lets a newly paired till prove itself to one that has not heard of it.
#pragma once

#include <optional>
#include <string>
#include <tillsync/ids.hpp>
#include <tillsync/result.hpp>

#include "storage/base/pack.hpp"

namespace tillsync {

constexpr std::uint32_t kOldestProtocol = 1, kNewestProtocol = 2;
constexpr std::string_view kPrologue = "tillsync 1";

struct Hello {
  std::uint32_t oldest = kOldestProtocol, newest = kNewestProtocol;
  std::uint64_t features = 0;  // none defined yet; an end uses what both have
  TillId name;
  BranchId branch;
  std::uint64_t run = 0;   // random for each start of a process: an older connection of the same name is dead
  std::uint32_t port = 0;  // where the sender can be dialled; 0 when nowhere
  Binary roster;           // may be empty
  std::string refusal;     // the responder's: one sentence, and the connection ends
  template <class A>
  void fields(A& a) {
    a(oldest, newest, features, name, branch, run, port, roster, refusal);
  }
};

// The version both speak, or the sentence that tells which end to update.
Result<std::uint32_t> agree(const Hello& mine, const Hello& theirs);

}  // namespace tillsync
