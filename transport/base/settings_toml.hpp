// What till.toml and cloud.toml share. An unknown setting is an error: a misspelt one would be without effect.
#pragma once

#include <toml++/toml.h>

#include <span>

#include "transport/base/settings.hpp"

namespace tillsync {

// `where`: of the table, such as "http."; empty for the file's own.
Result<void> only_known(const toml::table& table, std::span<const char* const> known, const std::string& where);
Result<std::optional<Address>> read_address(const toml::table& table, const char* name);
Result<bool> read_log(const toml::table& table);  // true: JSON
Result<HttpSettings> read_http(const toml::table& table);
// Parses, and names the line where it can't.
Result<toml::table> parse_toml(const std::string& text, const std::string& where);

}  // namespace tillsync
