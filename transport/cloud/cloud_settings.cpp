#include "transport/cloud/cloud_settings.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <sstream>

#include "transport/base/settings_toml.hpp"

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

Result<std::string> cloud_store(const DataFolder& folder, const std::string& asked) {
  auto settings = load_cloud_settings(folder.path());
  if (!settings) return tl::unexpected(settings.error());
  if (asked.empty() || asked == settings->store) return settings->store;
  if (file_exists(folder.file("db"))) {
    return fail(ErrorKind::refused, "the record of " + folder.path() +
                                        " lies in LMDB, and would not be seen in another store: leave --store out, or "
                                        "make a new folder with this one's identity.key");
  }
  return asked;
}

namespace {

// The file with this store, in the place of the one that it names; the rest stays as people wrote it.
std::string with_store(const std::string& toml, const std::string& store) {
  std::ostringstream line, out;
  line << toml::table{{"store", store}} << '\n';
  bool named = false, in_table = false;
  std::istringstream in(toml);
  for (std::string each; std::getline(in, each);) {
    const std::size_t word = each.find_first_not_of(" \t");
    in_table = in_table || (word != std::string::npos && each[word] == '[');
    const std::string_view rest = word == std::string::npos ? std::string_view() : std::string_view(each).substr(word);
    const std::size_t equals = rest.starts_with("store") ? rest.find_first_not_of(" \t", 5) : std::string_view::npos;
    const bool is_store = !in_table && equals != std::string_view::npos && rest[equals] == '=';
    out << (is_store ? line.str() : each + '\n');
    named = named || is_store;
  }
  return named ? out.str() : line.str() + out.str();
}

}  // namespace

Result<void> remember_cloud_store(const DataFolder& folder, const std::string& store) {
  const std::string path = folder.file("cloud.toml");
  const auto settings = load_cloud_settings(folder.path());
  if (!settings) return tl::unexpected(settings.error());
  if (settings->store == store) return {};
  auto text = file_exists(path) ? read_file(path) : Result<std::string>(std::string());
  if (!text) return tl::unexpected(text.error());
  const mode_t before = ::umask(0077);  // it may hold a password
  auto written = replace_file(path, with_store(*text, store));
  ::umask(before);
  return written;
}

}  // namespace tillsync
