#include "engine/cloud/ingest/push_reading.hpp"

#include "engine/cloud/ingest/op_rules.hpp"
#include "engine/validate.hpp"

namespace tillsync {

ReadPush read_ops(OpenedPush push) {
  ReadPush out{std::move(push), {}};
  out.ops.reserve(out.push.ops.size());
  for (const OpenedOp& each : out.push.ops) {
    ReadOp& read = out.ops.emplace_back();
    read.draft = draft_of(each.op);
    read.fault = lasting_fault(read.draft);
    if (read.draft) read.moves = stock_moves(each.op.kind, read.draft->document.lines);
  }
  return out;
}

PushReading::PushReading(Push push, BranchId branch)
    : push_(std::move(push)), branch_(std::move(branch)), count_(push_.ops.size()) {
  for (const Binary& op : push_.ops) bytes_ += op.size();
}

const Result<ReadPush>& PushReading::read() const {
  if (!read_) read_ = read_push(std::move(push_), branch_).map(read_ops);
  return *read_;
}

}  // namespace tillsync
