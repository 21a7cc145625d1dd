// What the docs show is true: example settings are the defaults, and alerts and dashboards name metrics that there are.
#include <doctest/doctest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "storage/disk/data_folder.hpp"
#include "tests/scratch.hpp"
#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_settings.hpp"

using namespace tillsync;

namespace {

std::string source(const std::string& path) { return read_file(std::string(TILLSYNC_SOURCE) + "/" + path).value(); }

std::set<std::string> all_of(const std::string& text, const std::string& pattern) {
  std::set<std::string> out;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) out.insert((*it)[1].str());
  return out;
}

}  // namespace

TEST_CASE("the example settings can be copied as they are, and say what holds without them") {
  const auto cloud = CloudSettings::parse(source("docs/examples/cloud/cloud.toml"), "cloud.toml");
  REQUIRE_MESSAGE(cloud, cloud.error().message);
  const CloudSettings defaults;
  CHECK(cloud->store == defaults.store);
  CHECK(cloud->name == defaults.name);
  CHECK(cloud->listen == defaults.listen);
  CHECK(cloud->json_log == defaults.json_log);
  const auto same = [](const Allowance& a, const Allowance& b) {
    return a.per_second == b.per_second && a.burst == b.burst;
  };
  CHECK(same(cloud->limits.till_ops, defaults.limits.till_ops));
  CHECK(same(cloud->limits.till_bytes, defaults.limits.till_bytes));
  CHECK(same(cloud->limits.branch_ops, defaults.limits.branch_ops));
  CHECK(same(cloud->limits.branch_bytes, defaults.limits.branch_bytes));
  CHECK(same(cloud->limits.messages, defaults.limits.messages));
  const auto till = Settings::parse(source("docs/examples/till/till.toml"), "till.toml");
  REQUIRE_MESSAGE(till, till.error().message);
  CHECK(till->listen == Address{"0.0.0.0", 7700});
  CHECK(till->http.listen == Address{"127.0.0.1", 7780});
  const auto again = Settings::parse(till->toml(), "written");  // what `till init` writes is read again
  REQUIRE_MESSAGE(again, again.error().message);
  CHECK(again->http.listen == till->http.listen);
}

TEST_CASE("a store is remembered in the file that people wrote, and nothing else in it changes") {
  const test::Folder folder;
  const auto locked = DataFolder::lock(folder.path, true);
  REQUIRE(locked);
  const std::string example = source("docs/examples/cloud/cloud.toml");
  REQUIRE(replace_file(locked->file("cloud.toml"), example));
  for (const std::string url : {"postgresql://cloud@db/tillsync", "postgresql:///with \"quotes\""}) {
    REQUIRE(remember_cloud_store(*locked, url));
    const auto read = load_cloud_settings(folder.path);
    REQUIRE_MESSAGE(read, read.error().message);
    CHECK(read->store == url);
    CHECK(read->http.listen == Address{"127.0.0.1", 7880});
  }
  REQUIRE(remember_cloud_store(*locked, ""));
  CHECK(std::regex_replace(read_file(locked->file("cloud.toml")).value(), std::regex("store = ''"), "store = \"\"") ==
        example);
  REQUIRE(replace_file(locked->file("cloud.toml"), "log = 'json'\n[http]\nlisten = '127.0.0.1:1'\n"));  // names none
  REQUIRE(remember_cloud_store(*locked, "postgresql://x"));
  CHECK(load_cloud_settings(folder.path)->store == "postgresql://x");
  CHECK(load_cloud_settings(folder.path)->json_log);
  REQUIRE(replace_file(locked->file("cloud.toml"), "store = "));
  CHECK_FALSE(remember_cloud_store(*locked, "postgresql://x"));  // what can't be read is not overwritten
  CHECK(read_file(locked->file("cloud.toml")) == "store = ");
}

TEST_CASE("a setting that is misspelt, or makes no sense, is named") {
  const auto error = [](const std::string& toml) {
    const auto read = CloudSettings::parse(toml, "cloud.toml");
    return read ? std::string() : read.error().message;
  };
  CHECK(error("sotre = \"x\"") == "cloud.toml: there is no setting 'sotre': check its spelling");
  CHECK(error("[http]\nlistn = \"x\"") == "cloud.toml: there is no setting 'http.listn': check its spelling");
  CHECK(error("[limits]\ntill_op = { per_second = 1, burst = 1 }").find("'limits.till_op'") != std::string::npos);
  CHECK(error("[limits]\ntill_ops = { per_second = 0, burst = 1 }").find("of 1 and more") != std::string::npos);
  CHECK(error("log = \"xml\"").find("write \"text\" or \"json\"") != std::string::npos);
  CHECK(error("listen = \"7800\"").find("is not an address") != std::string::npos);
  CHECK(error("store = ").find("cloud.toml, line 1") != std::string::npos);
}

TEST_CASE("alerts, the dashboard and the docs name metrics that are served, and the docs name all of them") {
  const std::string served = source("transport/http/metrics.cpp");
  const auto metrics = all_of(served, "\\.(?:gauge|counter|histogram)\\(\\s*\"([a-z_]+)\"");
  CHECK(metrics.size() > 35);
  for (const char* page :
       {"docs/examples/cloud/alerts.yml", "docs/examples/cloud/grafana-dashboard.json", "docs/monitoring.md"}) {
    for (std::string name : all_of(source(page), "tillsync_([a-z_]+[a-z])")) {
      if (name.ends_with("_bucket")) name.resize(name.size() - 7);
      CHECK_MESSAGE(metrics.contains(name), page << " names " << name);
    }
  }
  const std::string docs = source("docs/monitoring.md");
  for (const std::string& name : metrics) CHECK_MESSAGE(docs.find("tillsync_" + name) != std::string::npos, name);
}
