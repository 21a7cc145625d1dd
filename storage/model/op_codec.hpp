// Ops and documents as canonical bytes. The hash of an op is BLAKE2b-256 of exactly these bytes.
#pragma once

#include <optional>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>

namespace tillsync {

constexpr std::size_t kMaxOpBytes = 256 * 1024;  // a delivery of some thousand lines; four fit a frame

Bytes encode(const Op& op);
std::optional<Op> decode_op(ByteView bytes);  // nothing unless canonical

Bytes encode(const Document& document);
std::optional<Document> decode_document(ByteView body);

// Its lines alone, not copied: valid as long as the body is. Nothing where decode_document() gives nothing.
struct LineView {
  std::string_view sku;
  Quantity quantity;
  std::int64_t unit_price{};
  std::string_view name;
};
std::optional<std::vector<LineView>> decode_lines(ByteView body);

// Kinds whose body is a Document that moves stock; a resolution's may have no lines.
bool moves_stock(OpKind kind);
bool has_document(OpKind kind);  // the others' bodies are their own

// Content two ops must share for the same idempotency key to be an honest repeat.
Hash content_hash(OpKind kind, ByteView body);

}  // namespace tillsync
