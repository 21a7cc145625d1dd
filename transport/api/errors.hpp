// Errors as JSON, in one shape wherever one is sent: {"kind", "message", "detail"?}.
#pragma once

#include <optional>
#include <string_view>
#include <tillsync/result.hpp>

#include "transport/base/json_text.hpp"

namespace tillsync {

std::string_view name_of(ErrorKind kind);
std::optional<ErrorKind> error_kind_named(std::string_view name);

// The detail, which names files and what the system said of them, is for the user of this machine alone.
enum class Detail { shown, left_out };
Json to_json(const Error& error, Detail detail = Detail::left_out);
// What somebody sent as an error; one of a kind that this release does not know is read as refused.
Error error_from(const Json& json);

}  // namespace tillsync
