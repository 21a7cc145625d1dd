// Changing a settings file that people wrote: a setting's own line changes, and everything else stays as it is,
// comments and settings that this program does not write among it.
#pragma once

#include <string>
#include <tillsync/result.hpp>
#include <vector>

#include "transport/base/settings.hpp"

namespace tillsync {

std::string quoted(const std::string& text);  // as TOML writes it

// A setting of the file's own table, with its value as TOML. In the place of the setting, or of its example in a
// comment
// ("# cloud = ..."), or else above the first table.
std::string with_setting(const std::string& toml, const std::string& name, const std::string& value);

// What in till.toml is to be changed.
struct SettingsChange {
  std::optional<Address> listen{}, cloud{};
  std::optional<std::string> interface {};
  std::vector<std::pair<TillId, Address>> more_peers{};
};
// Errors: invalid, when the file is written in a way that only people can change; io.
Result<Settings> change_settings(const DataFolder& folder, const SettingsChange& change);

}  // namespace tillsync
