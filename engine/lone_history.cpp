#include "engine/lone_history.hpp"

#include <cstring>

#include "storage/model/op_codec.hpp"

namespace tillsync {

ChainId person_chain(const TillId& name, const PublicKey& key) {
  std::uint64_t incarnation = 0;
  const Hash hash = blake2b(key.view());
  std::memcpy(&incarnation, hash.bytes.data(), sizeof incarnation);
  return {name, Incarnation{incarnation | 1}};
}

OpenedPush sign_alone(const OpDraft& draft, const BranchId& branch, const TillId& name, const SecretKey& key,
                      const ChainPoint& last, std::int64_t wall_ms) {
  Op op;
  op.branch = branch;
  op.chain = person_chain(name, key.public_key());
  op.seq = last.seq.next();
  op.prev = last.hash;
  op.hlc = Hlc::at(wall_ms);
  op.kind = draft.kind;
  op.key = draft.key;
  op.cashier = draft.cashier;
  op.body = draft.custom_body.empty() ? encode(draft.document) : draft.custom_body;
  const Bytes bytes = encode(op);
  OpenedPush push{op.chain, {{op, blake2b(bytes), bytes}}, {}};
  push.signature = Binary(key.sign(push_bytes(branch, push.chain, push.end())));
  return push;
}

}  // namespace tillsync
