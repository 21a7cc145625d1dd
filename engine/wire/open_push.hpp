// Reading a Push: everything about it that can be checked without knowing what the receiver holds, then the verdict.
#pragma once

#include <tillsync/op.hpp>
#include <vector>

#include "engine/wire/messages.hpp"
#include "lease/keys.hpp"

namespace tillsync {

struct OpenedOp {
  Op op;
  Hash hash;
  Bytes bytes;
};

struct OpenedPush {
  ChainId chain;
  std::vector<OpenedOp> ops;  // consecutive, each naming the hash of the one before
  Binary signature;
  ChainPoint end() const { return {ops.back().op.seq, ops.back().hash}; }
};

// Errors of these: refused, with what is wrong. The sender is lying or broken, whatever the receiver holds.
Result<void> verify_push(const Push& push, const BranchId& branch, const PublicKey& chain_key);  // its till signed it
Result<OpenedPush> read_push(Push push, const BranchId& branch);  // once it is verified: that its ops are a chain
Result<OpenedPush> open_push(Push push, const BranchId& branch, const PublicKey& chain_key);  // both

enum class Verdict { append, duplicate, gap, fork };

// What a receiver that holds the chain up to `held` does with it; on append, ops from `first_new` on are new.
struct Judged {
  Verdict verdict;
  std::size_t first_new = 0;
};
Judged judge(const ChainPoint& held, const OpenedPush& push);

}  // namespace tillsync
