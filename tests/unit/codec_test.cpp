#include <doctest/doctest.h>

#include "engine/wire/messages.hpp"
#include "engine/wire/open_push.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/random.hpp"
#include "storage/model/op_codec.hpp"
#include "transport/api/vocabulary.hpp"

using namespace tillsync;

namespace {

Op sample_op(std::uint64_t seq, const Hash& prev) {
  Document document;
  document.invoice = "17";
  document.lines.push_back({"bread", Quantity::units(2), 350, "Brot"});
  document.fields["table"] = "4";
  Op op;
  op.branch = BranchId{"main"};
  op.chain = {TillId{"till-1"}, Incarnation{99}};
  op.seq = Seq{seq};
  op.hlc = Hlc::at(1'700'000'000'000 + static_cast<std::int64_t>(seq));
  op.prev = prev;
  op.kind = OpKind::sale;
  op.key = "k" + std::to_string(seq);
  op.cashier = "ann";
  op.body = encode(document);
  return op;
}

SecretKey till_key() { return SecretKey::from_seed({7}); }

Push sample_push(std::uint64_t first, std::uint64_t count, Hash prev = {}) {
  Push push{{TillId{"till-1"}, Incarnation{99}}, Seq{first}, {}, {}};
  for (std::uint64_t i = 0; i < count; ++i) {
    push.ops.emplace_back(encode(sample_op(first + i, prev)));
    prev = blake2b(push.ops.back());
  }
  push.signature =
      Binary(till_key().sign(push_bytes(BranchId{"main"}, push.chain.id(), {Seq{first + count - 1}, prev})));
  return push;
}

}  // namespace

TEST_CASE("an op has one encoding: what is read is written again byte for byte, and every other form is refused") {
  const Bytes bytes = encode(sample_op(1, {}));
  const auto op = decode_op(bytes);
  REQUIRE(op);
  CHECK(encode(*op) == bytes);
  CHECK(decode_document(op->body)->lines[0].sku == "bread");
  Random random(1);
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int tries = 0; tries < 4; ++tries) {
      Bytes changed = bytes;
      changed[at] = static_cast<char>(random.next());
      const auto other = decode_op(changed);
      if (!other) {
        ++refused;
      } else {
        REQUIRE(encode(*other) == changed);
      }
    }
  }
  CHECK(refused > 50);
  CHECK_FALSE(decode_op(bytes + '\0'));
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode_op(ByteView(bytes).substr(0, n)));
}

TEST_CASE("lines that are read where they lie are those of the document, and none where there is no document") {
  const Bytes body = sample_op(1, {}).body;
  Random random(2);
  int documents = 0;
  for (int tries = 0; tries < 2000; ++tries) {
    Bytes changed = body;
    if (tries > 0) changed[random.below(changed.size())] = static_cast<char>(random.next());
    const auto document = decode_document(changed);
    const auto lines = decode_lines(changed);
    REQUIRE(document.has_value() == lines.has_value());
    if (!document) continue;
    ++documents;
    std::vector<Line> copied;
    for (const LineView& l : *lines) copied.push_back({Bytes(l.sku), l.quantity, l.unit_price, Bytes(l.name)});
    REQUIRE(copied == document->lines);
  }
  CHECK((documents > 100 && documents < 1900));
}

TEST_CASE("a kind of op that this release does not know is kept with its number and passed on unchanged") {
  Op op = sample_op(1, {});
  op.kind = static_cast<OpKind>(4711);
  op.body = pack(std::string("from the future"));
  const Bytes bytes = encode(op);
  const auto read = decode_op(bytes);
  REQUIRE(read);
  CHECK(static_cast<int>(read->kind) == 4711);
  CHECK(encode(*read) == bytes);
}

TEST_CASE(
    "a message of an unknown type is told apart from garbage, and trailing fields of a newer release are ignored") {
  Bytes future;
  Writing w(future);
  w.to.array(2);
  w.put(std::uint64_t{999});
  w.put(std::string("x"));
  const auto unknown = decode_message(future);
  REQUIRE(unknown);
  CHECK(std::get<Unknown>(*unknown).type == 999);

  Bytes longer;
  Writing v(longer);
  v.to.array(2);
  v.put(std::uint64_t{1});  // the type of Ping or another: only the shape matters here
  CHECK_FALSE(decode_message(longer));
  const Bytes ping = encode(Ping{5});
  Bytes with_more(ping.substr(0, 2));
  with_more += static_cast<char>(0x92);  // two fields instead of one
  with_more += ping.substr(3);
  with_more += static_cast<char>(0x07);
  const auto read = decode_message(with_more);
  REQUIRE(read);
  CHECK(std::get<Ping>(*read).nonce == 5);
}

TEST_CASE("no bytes from outside can make the decoder do more than say no") {
  Random random(9);
  const Bytes good = encode(Message(sample_push(1, 3)));
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes = good.substr(0, 1 + random.below(good.size()));
    for (std::uint64_t n = random.below(6); n > 0; --n)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (auto message = decode_message(bytes)) {
      if (auto* push = std::get_if<Push>(&*message))
        (void)open_push(std::move(*push), BranchId{"main"}, till_key().public_key());
    }
  }
}

TEST_CASE("a push is taken only whole, in order, chained and signed by its till") {
  const auto key = till_key().public_key();
  CHECK(open_push(sample_push(1, 5), BranchId{"main"}, key));
  CHECK_FALSE(open_push(sample_push(1, 5), BranchId{"other"}, key));
  CHECK_FALSE(open_push(sample_push(1, 5), BranchId{"main"}, SecretKey::from_seed({8}).public_key()));
  Push swapped = sample_push(1, 5);
  std::swap(swapped.ops[1], swapped.ops[2]);
  CHECK_FALSE(open_push(std::move(swapped), BranchId{"main"}, key));
  Push shortened = sample_push(1, 5);
  shortened.ops.pop_back();
  CHECK_FALSE(open_push(std::move(shortened), BranchId{"main"}, key));
}

TEST_CASE("a receiver tells append, duplicate, gap and fork apart") {
  const auto key = till_key().public_key();
  auto opened = [&](std::uint64_t first, std::uint64_t n, Hash prev = {}) {
    return *open_push(sample_push(first, n, prev), BranchId{"main"}, key);
  };
  const OpenedPush five = opened(1, 5);
  const ChainPoint nothing{}, three{Seq{3}, five.ops[2].hash}, five_held = five.end();
  CHECK(judge(nothing, five).verdict == Verdict::append);
  CHECK(judge(three, five).verdict == Verdict::append);
  CHECK(judge(three, five).first_new == 3);
  CHECK(judge(five_held, five).verdict == Verdict::duplicate);
  CHECK(judge(nothing, opened(2, 2, five.ops[0].hash)).verdict == Verdict::gap);
  CHECK(judge(five_held, opened(6, 1, blake2b("another past"))).verdict == Verdict::fork);
  CHECK(judge({Seq{3}, blake2b("another three")}, five).verdict == Verdict::fork);
}

TEST_CASE("a draft that is asked for over the control socket arrives as it was meant, with all that a document has") {
  OpDraft draft{.kind = OpKind::adjust, .key = "k", .cashier = "ann", .document = {}};
  draft.document = {.invoice = "17",
                    .currency = "CHF",
                    .reference = "k0",
                    .customer = "Frau B.",
                    .note = "a bag was torn",
                    .lines = {{"flour", Quantity{-1'500}, 250, "Mehl"}, {"salt", Quantity::units(2), 90, ""}},
                    .fields = {{"table", "4"}, {"who", "\"me\""}}};
  const auto back = api::from_json<OpDraft>(api::write(draft), api::Unknown::refused);
  REQUIRE(back);
  CHECK(back->kind == draft.kind);
  CHECK(back->key == draft.key);
  CHECK(back->cashier == draft.cashier);
  CHECK((back->document == draft.document));
}
