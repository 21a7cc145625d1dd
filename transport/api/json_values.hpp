// Values that JSON has no form of its own for: bytes as hexadecimal text, and row fields, which are MessagePack in the
// store.
#pragma once

#include <optional>
#include <string>
#include <tillsync/bytes.hpp>

#include "transport/base/json_text.hpp"

namespace tillsync {

std::string hex(ByteView bytes);
std::optional<Bytes> bytes_of_hex(const std::string& text);  // nothing unless all of it is hexadecimal digits

Bytes fields_from(const Json& json);
Json fields_json(ByteView fields);  // null when they can't be read

}  // namespace tillsync
