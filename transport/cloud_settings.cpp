#include <algorithm>

#include "transport/settings_toml.hpp"

namespace tillsync {

namespace {

constexpr const char* kSettings[] = {"store", "name", "listen", "log", "http", "limits"};

struct Limit {
  const char* name;
  Allowance RateLimits::*allowance;
};
constexpr Limit kLimits[] = {{"till_ops", &RateLimits::till_ops},
                             {"till_bytes", &RateLimits::till_bytes},
                             {"branch_ops", &RateLimits::branch_ops},
                             {"branch_bytes", &RateLimits::branch_bytes},
                             {"messages", &RateLimits::messages}};

// till_ops = { per_second = 20000, burst = 500000 }
Result<RateLimits> read_limits(const toml::table& file) {
  RateLimits out;
  const toml::table* table = file["limits"].as_table();
  if (table == nullptr) return out;
  for (const auto& [key, node] : *table) {
    const auto* limit = std::ranges::find(kLimits, key.str(), &Limit::name);
    if (limit == std::end(kLimits))
      return fail(ErrorKind::invalid,
                  "there is no setting 'limits." + std::string(key.str()) + "': check its spelling");
    const toml::table* pair = node.as_table();
    const auto per_second = pair == nullptr ? std::nullopt : (*pair)["per_second"].value_exact<std::int64_t>();
    const auto burst = pair == nullptr ? std::nullopt : (*pair)["burst"].value_exact<std::int64_t>();
    if (!per_second || !burst || *per_second < 1 || *burst < 1)
      return fail(ErrorKind::invalid,
                  "limits." + std::string(key.str()) + ": write { per_second = N, burst = N }, of 1 and more");
    out.*limit->allowance = {static_cast<std::uint64_t>(*per_second), static_cast<std::uint64_t>(*burst)};
  }
  return out;
}

Result<CloudSettings> read_cloud(const toml::table& table) {
  CloudSettings out;
  if (auto known = only_known(table, kSettings, ""); !known) return tl::unexpected(known.error());
  out.store = table["store"].value_or(std::string());
  auto name = TillId::parse(table["name"].value_or(std::string("cloud")));
  if (!name) return fail(ErrorKind::invalid, "name: " + name.error().message);
  out.name = std::move(*name);
  auto listen = read_address(table, "listen");
  if (!listen) return tl::unexpected(listen.error());
  if (*listen) out.listen = std::move(**listen);
  auto json = read_log(table);
  if (!json) return tl::unexpected(json.error());
  out.json_log = *json;
  auto http = read_http(table);
  if (!http) return tl::unexpected(http.error());
  if (!http->metrics_key.empty())
    return fail(ErrorKind::invalid,
                "http.metrics_key: a cloud's metrics are read with an operator's key ('tillsync operator add')");
  out.http = std::move(*http);
  auto limits = read_limits(table);
  if (!limits) return tl::unexpected(limits.error());
  out.limits = *limits;
  return out;
}

}  // namespace

Result<CloudSettings> CloudSettings::parse(const std::string& text, const std::string& where) {
  auto table = parse_toml(text, where);
  if (!table) return tl::unexpected(table.error());
  auto read = read_cloud(*table);
  if (!read) return fail(ErrorKind::invalid, where + ": " + read.error().message);
  return read;
}

Result<CloudSettings> load_cloud_settings(const std::string& folder) {
  const std::string path = folder + "/cloud.toml";
  if (!file_exists(path)) return CloudSettings{};
  auto text = read_file(path);
  return text ? CloudSettings::parse(*text, path) : tl::unexpected(text.error());
}

}  // namespace tillsync
