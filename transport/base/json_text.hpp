// JSON as text, at every door of a process. What comes in may be of any depth, and what goes out may hold any bytes
// that somebody recorded: neither may throw, or recurse until the stack ends. Nothing else parses or writes JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include <tillsync/result.hpp>

namespace tillsync {

using Json = nlohmann::json;

// How deep JSON may nest. nlohmann's writer and its MessagePack recurse once a level, so there has to be a limit; real
// product rows nest two or three levels, the deepest answer (a conflict's choices) eight. A value may nest half as deep
// as a whole text, so that one that was taken still fits the answer that shows it.
constexpr std::size_t kMaxJsonDepth = 64, kMaxValueDepth = 32;

// Errors: invalid, when it is no JSON; refused, when it nests deeper.
Result<Json> parse_json(std::string_view text, std::size_t max_depth = kMaxJsonDepth);
// One MessagePack value of at most kMaxValueDepth. The same errors.
Result<Json> parse_msgpack(std::string_view bytes);

// What is not UTF-8 becomes U+FFFD. `indent` as for nlohmann's dump().
std::string json_text(const Json& json, int indent = -1);

// The text in a field; empty when there is none, or `json` is no object.
std::string text_of(const Json& json, const char* field);

}  // namespace tillsync
