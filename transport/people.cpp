#include "transport/people.hpp"

#include <sodium.h>

#include "engine/till/own_chain.hpp"
#include "storage/op_codec.hpp"

namespace tillsync {

OpenedPush sign_alone(const OpDraft& draft, const BranchId& branch, const TillId& name, const SecretKey& key,
                      std::int64_t wall_ms) {
  std::uint64_t incarnation = 0;
  randombytes_buf(&incarnation, sizeof incarnation);
  Op op;
  op.branch = branch;
  op.chain = {name, Incarnation{incarnation | 1}};
  op.seq = Seq{1};
  op.hlc = Hlc::at(wall_ms);
  op.kind = draft.kind;
  op.key = draft.key;
  op.cashier = draft.cashier;
  op.body = body_of(draft);
  const Bytes bytes = encode(op);
  OpenedPush push{op.chain, {{op, blake2b(bytes), bytes}}, {}};
  push.signature = Binary(key.sign(push_bytes(branch, push.chain, push.end())));
  return push;
}

}  // namespace tillsync
