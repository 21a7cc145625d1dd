#include "storage/model/op_codec.hpp"

#include <algorithm>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {

constexpr std::uint64_t kOpFormat = 1;

struct DocumentView {
  std::string_view invoice, currency, reference, customer, note;
  std::vector<LineView> lines;
  std::map<std::string, std::string> fields;
};

template <class D>
std::optional<D> read_document(ByteView body) {
  Reading r(body, Reading::Extra::refuse);
  D d;
  std::size_t n = 0;
  if (!r.from.array(n) || n != 7) return std::nullopt;
  r.get(d.invoice), r.get(d.currency), r.get(d.reference), r.get(d.customer), r.get(d.note);
  if (!r.from.array(n)) return std::nullopt;
  d.lines.reserve(std::min<std::size_t>(n, 16));  // an outside number
  for (std::size_t i = 0; i < n && r.from.ok(); ++i) {
    auto& line = d.lines.emplace_back();
    r(line.sku, line.quantity.milli, line.unit_price, line.name);
  }
  r.get(d.fields);
  if (!r.from.at_end()) return std::nullopt;
  return d;
}

}  // namespace

Bytes encode(const Op& op) {
  Bytes out;
  out.reserve(160 + op.body.size());
  Writing w(out);
  w.to.array(13);
  w.put(kOpFormat), w.put(op.branch), w.put(op.chain.till), w.put(op.chain.incarnation), w.put(op.seq), w.put(op.hlc);
  w.put(op.prev), w.put(op.kind), w.put(op.key), w.put(op.cashier), w.put(op.cashier_prev);
  if (op.origin) {
    w(op.origin->incarnation, op.origin->seq, op.origin->hlc);
  } else {
    w.to.nil();
  }
  w.to.bin(op.body);
  return out;
}

std::optional<Op> decode_op(ByteView bytes) {
  Reading r(bytes, Reading::Extra::refuse);
  Op op;
  std::size_t n = 0;
  std::uint64_t format = 0;
  if (!r.from.array(n) || n != 13) return std::nullopt;
  r.get(format);
  r.get(op.branch), r.get(op.chain.till), r.get(op.chain.incarnation), r.get(op.seq), r.get(op.hlc);
  r.get(op.prev), r.get(op.kind), r.get(op.key), r.get(op.cashier), r.get(op.cashier_prev);
  if (r.from.nil_next()) {
    r.from.skip();
  } else {
    Origin& origin = op.origin.emplace();
    r(origin.incarnation, origin.seq, origin.hlc);
  }
  ByteView body;
  if (!r.from.bin(body) || !r.from.at_end() || format != kOpFormat || op.seq.value == 0) return std::nullopt;
  op.body = Bytes(body);
  return op;
}

Bytes encode(const Document& d) {
  std::size_t most = 64 + d.invoice.size() + d.reference.size() + d.customer.size() + d.note.size();
  for (const Line& line : d.lines) most += 32 + line.sku.size() + line.name.size();
  Bytes out;
  out.reserve(most);  // but for the fields
  Writing w(out);
  w.to.array(7);
  w.put(d.invoice), w.put(d.currency), w.put(d.reference), w.put(d.customer), w.put(d.note);
  w.to.array(d.lines.size());
  for (const Line& line : d.lines) w(line.sku, line.quantity.milli, line.unit_price, line.name);
  w.put(d.fields);
  return out;
}

std::optional<Document> decode_document(ByteView body) { return read_document<Document>(body); }

std::optional<std::vector<LineView>> decode_lines(ByteView body) {
  auto document = read_document<DocumentView>(body);
  return document ? std::optional(std::move(document->lines)) : std::nullopt;
}

bool moves_stock(OpKind kind) {
  const auto number = static_cast<std::uint16_t>(kind);
  return (number >= static_cast<std::uint16_t>(OpKind::sale) && number <= static_cast<std::uint16_t>(OpKind::count)) ||
         kind == OpKind::resolution;
}

bool has_document(OpKind kind) { return moves_stock(kind) || kind == OpKind::price; }

Hash content_hash(OpKind kind, ByteView body) {
  Bytes both = std::to_string(static_cast<unsigned>(kind)) + ":";
  both += body;
  return blake2b(both);
}

}  // namespace tillsync
