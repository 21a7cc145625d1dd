// Every message: what can be read is written again, and read as the same.
#include "engine/wire/messages.hpp"
#include "engine/validate.hpp"
#include "engine/wire/open_push.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_edit.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tillsync;

namespace {

// An op is hashed: only the very bytes that it encodes to may be taken for it.
void look_at_op(ByteView bytes) {
  const auto op = decode_op(bytes);
  if (!op) return;
  fuzz::require(encode(*op) == bytes, "an op that encodes to other bytes than it was read from");
  const auto draft = draft_of(*op);
  if (draft) (void)validate(*draft);
  (void)unpack<ForkState>(op->body);
  (void)unpack<RowEdit>(op->body);
  if (const auto document = decode_document(op->body))
    fuzz::require(encode(*document) == op->body, "a document that encodes to other bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(reinterpret_cast<const char*>(data), size);
  look_at_op(bytes);
  auto message = decode_message(bytes);
  if (!message) return 0;
  const Bytes once = encode(*message);
  const auto again = decode_message(once);
  fuzz::require(again && encode(*again) == once, "a message that changes when it is passed on");
  if (auto* push = std::get_if<Push>(&*message)) {
    for (const Binary& op : push->ops) look_at_op(op);
    if (push->ops.empty()) return 0;
    const auto first = decode_op(push->ops[0]);
    (void)read_push(*push, first ? first->branch : BranchId{"main"});
  }
  return 0;
}
