#include "engine/wire/open_push.hpp"

#include "storage/base/mutants.hpp"
#include "storage/model/op_codec.hpp"

namespace tillsync {

Result<void> verify_push(const Push& push, const BranchId& branch, const PublicKey& chain_key) {
  if (push.ops.empty() || push.ops.size() > kMaxBatchOps)
    return fail(ErrorKind::refused, "a push of no or too many ops");
  if (mutated(Mutant::trust_anyone)) return {};
  const ChainPoint end{Seq{push.first.value + push.ops.size() - 1}, blake2b(push.ops.back())};
  if (!chain_key.verify(push_bytes(branch, push.chain.id(), end), push.signature))
    return fail(ErrorKind::refused, "a push whose signature is not its till's");
  return {};
}

Result<OpenedPush> read_push(Push push, const BranchId& branch) {
  OpenedPush opened{push.chain.id(), {}, std::move(push.signature)};
  opened.ops.reserve(push.ops.size());
  Seq expected = push.first;
  for (Binary& bytes : push.ops) {
    auto op = decode_op(bytes);
    if (!op) return fail(ErrorKind::refused, "a push with an op that is not canonical");
    if (op->branch != branch || op->chain != opened.chain || op->seq != expected) {
      return fail(ErrorKind::refused, "a push with an op of another chain or number");
    }
    if (!opened.ops.empty() && op->prev != opened.ops.back().hash) {
      return fail(ErrorKind::refused, "a push whose ops do not follow each other");
    }
    const Hash hash = blake2b(bytes);
    opened.ops.push_back({std::move(*op), hash, std::move(bytes)});
    expected = expected.next();
  }
  return opened;
}

Result<OpenedPush> open_push(Push push, const BranchId& branch, const PublicKey& chain_key) {
  if (auto signed_by_it = verify_push(push, branch, chain_key); !signed_by_it)
    return tl::unexpected(signed_by_it.error());
  return read_push(std::move(push), branch);
}

Judged judge(const ChainPoint& held, const OpenedPush& push) {
  const Seq first = push.ops.front().op.seq;
  if (mutated(Mutant::apply_out_of_order) && first > held.seq.next()) return {Verdict::append, 0};
  if (first > held.seq.next()) return {Verdict::gap};
  if (first == held.seq.next()) {
    return push.ops.front().op.prev == held.hash ? Judged{Verdict::append, 0} : Judged{Verdict::fork};
  }
  if (push.end().seq < held.seq) return {Verdict::duplicate};  // the answer's hash lets the sender check
  const std::size_t at_held = held.seq.value - first.value;
  if (push.ops[at_held].hash != held.hash) return {Verdict::fork};
  if (at_held + 1 == push.ops.size()) return {Verdict::duplicate};
  return {Verdict::append, at_held + 1};
}

}  // namespace tillsync
