#include "transport/base/settings_toml.hpp"

#include <algorithm>

namespace tillsync {

Result<void> only_known(const toml::table& table, std::span<const char* const> known, const std::string& where) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (std::ranges::none_of(known, [&](const char* each) { return name == each; }))
      return fail(ErrorKind::invalid, "there is no setting '" + where + name + "': check its spelling");
  }
  return {};
}

Result<std::optional<Address>> read_address(const toml::table& table, const char* name) {
  const auto text = table[name].value<std::string>();
  if (!text || text->empty()) return std::optional<Address>();
  auto address = Address::parse(*text);
  if (!address) return fail(ErrorKind::invalid, std::string(name) + ": " + address.error().message);
  return std::optional(std::move(*address));
}

Result<bool> read_log(const toml::table& table) {
  const std::string style = table["log"].value_or(std::string("text"));
  if (style != "text" && style != "json") return fail(ErrorKind::invalid, "log: write \"text\" or \"json\"");
  return style == "json";
}

Result<HttpSettings> read_http(const toml::table& file) {
  HttpSettings out;
  const toml::table* table = file["http"].as_table();
  if (table == nullptr) return out;
  constexpr const char* kKnown[] = {"listen", "certificate", "private_key", "metrics_key"};
  if (auto known = only_known(*table, kKnown, "http."); !known) return tl::unexpected(known.error());
  auto listen = read_address(*table, "listen");
  if (!listen) return tl::unexpected(listen.error());
  out.listen = std::move(*listen);
  out.certificate = (*table)["certificate"].value_or(std::string());
  out.private_key = (*table)["private_key"].value_or(std::string());
  out.metrics_key = (*table)["metrics_key"].value_or(std::string());
  return out;
}

Result<toml::table> parse_toml(const std::string& text, const std::string& where) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::invalid, where + ", line " + std::to_string(error.source().begin.line) + ": " +
                                        std::string(error.description()));
  }
}

}  // namespace tillsync
