// Accepted ops on their way to a tenant's webhook, in the order in which they were accepted, branch by branch. A push
// that is accepted leaves its ranges of ops here in its own transaction; a courier takes them from the front. What is
// sent at once depends on what was accepted alone, so a delivery that is tried again is the same, under the same key.
//
// The ops stay where they are: an outage of a year costs some bytes a push.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/model/branch_key.hpp"
#include "storage/model/cloud_op.hpp"

namespace tillsync {

class CloudTxn;

struct Webhook {
  std::string url;
  std::string secret;  // of the HMAC
  std::int64_t since_ms = 0;
  template <class A>
  void fields(A& a) {
    a(url, secret, since_ms);
  }
};

// Ops of one history, from `first` to `last`.
struct OpRange {
  TillId till;
  Incarnation incarnation;
  Seq first, last;
  template <class A>
  void fields(A& a) {
    a(till, incarnation, first, last);
  }
  std::uint64_t ops() const { return last.value - first.value + 1; }
};

// Of one branch.
struct OutboxState {
  std::uint64_t next = 0;      // the number of the entry that is written next
  std::uint64_t head = 0;      // of the first that is not delivered
  std::uint64_t head_ops = 0;  // of that one, delivered already
  std::uint64_t ops_in = 0, ops_out = 0;
  std::uint64_t attempts = 0;  // of the delivery at the front, in vain
  std::int64_t try_at_ms = 0;  // not before
  std::int64_t failing_since_ms = 0;
  std::string why;              // the last one failed
  std::uint64_t set_aside = 0;  // deliveries that people have to look at
  template <class A>
  void fields(A& a) {
    a(next, head, head_ops, ops_in, ops_out, attempts, try_at_ms, failing_since_ms, why, set_aside);
  }
  std::uint64_t backlog() const { return ops_in - ops_out; }
};

struct SetAside {
  std::string key;  // the delivery's
  std::vector<OpRange> ranges;
  std::string why;
  std::int64_t at_ms = 0;
  template <class A>
  void fields(A& a) {
    a(key, ranges, why, at_ms);
  }
};

// One request's worth of ops.
struct Delivery {
  std::string key;  // of idempotency: unique in the tenant, and the same however often it is tried
  std::vector<OpRange> ranges;
  std::vector<CloudOp> ops;
  OutboxState state;
};

constexpr std::size_t kMaxDeliveryOps = 200;
constexpr std::size_t kMaxDeliveryBytes = 512 * 1024;  // unless one op alone has more

class Outbox {
 public:
  explicit Outbox(CloudTxn& txn) : txn_(txn) {}

  std::optional<Webhook> webhook(const std::string& tenant);
  // From now on; with `from_start`, all that the branches have already as well. Branches that the tenant has are
  // locked.
  void set_webhook(const std::string& tenant, const Webhook& webhook, bool from_start);
  void remove_webhook(const std::string& tenant);  // and what was to be delivered

  // In the transaction that accepts them, of a branch that it has locked.
  void put(const BranchKey& branch, const std::vector<OpRange>& ranges);

  OutboxState state(const BranchKey& branch);
  std::vector<std::pair<BranchKey, OutboxState>> states(const std::string& tenant);
  std::optional<Delivery> next(const BranchKey& branch);
  // Each locks the branch, and does nothing when `delivery` is not at the front any more.
  void delivered(const BranchKey& branch, const Delivery& delivery);
  void failed(const BranchKey& branch, const Delivery& delivery, const std::string& why, std::int64_t now_ms,
              std::int64_t try_at_ms);
  void try_now(const BranchKey& branch);  // somebody has mended something
  void set_aside(const BranchKey& branch, const Delivery& delivery, const std::string& why, std::int64_t now_ms);

  std::vector<SetAside> aside(const BranchKey& branch);
  // To the end of the queue, all or the one of that key. How many.
  std::uint64_t replay(const BranchKey& branch, const std::string& key);

 private:
  struct Entry {
    std::vector<OpRange> ranges;
    template <class A>
    void fields(A& a) {
      a(ranges);
    }
  };
  std::string key_of(const BranchKey& branch, const OutboxState& state);
  bool at_front(const BranchKey& branch, const Delivery& delivery, OutboxState& state);
  void advance(const BranchKey& branch, OutboxState& state, const Delivery& delivery);
  void keep(const BranchKey& branch, const OutboxState& state);
  CloudTxn& txn_;
};

}  // namespace tillsync
