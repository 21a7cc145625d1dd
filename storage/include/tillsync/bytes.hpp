// Bytes as tillsync passes them around: owned and viewed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tillsync {

using Bytes = std::string;
using ByteView = std::string_view;

// Bytes that are no text (keys, signatures, encoded ops): MessagePack knows the difference.
struct Binary : Bytes {
  using Bytes::Bytes;
  Binary() = default;
  explicit Binary(Bytes bytes) : Bytes(std::move(bytes)) {}
  explicit Binary(ByteView bytes) : Bytes(bytes) {}
};

}  // namespace tillsync
