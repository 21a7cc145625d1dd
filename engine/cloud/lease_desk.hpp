// The core's side of a branch's lease. What a till says of it is checked here against the roster; the Witness decides
// it in a transaction.
#pragma once

#include <map>
#include <optional>
#include <tillsync/ids.hpp>

#include "engine/cloud/witness.hpp"
#include "engine/wire/messages.hpp"
#include "lease/roster.hpp"

namespace tillsync {

class LeaseDesk {
 public:
  explicit LeaseDesk(SecretKey key) : key_(key) {}

  struct Verdict {
    std::optional<LeaseAsk> ask;    // for the Witness
    const char* fault = nullptr;    // why the message is ignored
    std::optional<Message> answer;  // at once
  };
  static bool is_lease(const Message& message);
  Verdict take(const Roster& roster, const TillId& from, Message message);

  // Who hosts a branch, as far as the cloud knows: the certificate of the highest term.
  const Certificate* leader(const BranchKey& branch) const;
  // Signs a grant that goes out: what it promises is durable by then.
  void sign(Message& answer) const;

 private:
  SecretKey key_;
  std::map<BranchKey, Certificate> leaders_;
};

}  // namespace tillsync
