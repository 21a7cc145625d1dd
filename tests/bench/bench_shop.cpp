#include "tests/bench/bench_shop.hpp"

#include <filesystem>
#include <thread>

#include "tests/bench/measure.hpp"
#include "transport/base/settings.hpp"

namespace tillsync::bench {

BenchShop::BenchShop(const std::string& folder, const std::string& program, const std::vector<Member>& members)
    : folder_(folder), program_(program) {
  const SecretKey tenant = fresh_secret();
  Roster roster;
  roster.tenant = "Bench";
  roster.keys = TenantKeys::founded(tenant.public_key(), fresh_secret().public_key());
  roster.branch = BranchId{"main"};
  roster.lease_ms = 1000;
  tenant_ = roster.keys.id();
  const auto key_of = [&](const std::string& name) {
    const auto locked = client::require(DataFolder::lock(folder_of(name), true));
    return Binary(client::require(load_identity(locked, true)).public_key().view());
  };
  roster.add({TillId{"cloud"}, key_of("cloud"), Role::cloud, 0});
  for (const Member& m : members) roster.add({TillId{m.name}, key_of(m.name), Role::till, m.may_host ? 1U : 0U});
  roster.sign(tenant);
  std::filesystem::create_directories(folder_of("cloud/rosters"));
  client::require(replace_file(folder_of("cloud/rosters/main.roster"), roster.encoded()));
  processes_.emplace("cloud",
                     client::Process("cloud", folder_of("cloud"),
                                     {program, "cloud", "--data", folder_of("cloud"), "--listen", "127.0.0.1:0"}));
  cloud().start();
  const int port = cloud().ask(api::CloudStatusRequest{}).port;
  cloud().listen_on(port);
  for (const Member& m : members) {
    Settings settings;
    settings.branch = roster.branch;
    settings.till = TillId{m.name};
    settings.listen = {"127.0.0.1", 0};
    if (m.knows_cloud) settings.cloud.emplace(Address{"127.0.0.1", static_cast<std::uint16_t>(port)});
    settings.interface = "lo";
    client::require(replace_file(folder_of(m.name) + "/till.toml", settings.toml()));
    client::require(replace_file(folder_of(m.name) + "/roster.bin", roster.encoded()));
  }
}

void BenchShop::restart_cloud() {
  cloud().start();
  (void)cloud().connect();
}

client::Process& BenchShop::start(const std::string& name) {
  client::Process process(name, folder_of(name), {program_, "till", "--data", folder_of(name)});
  client::Process& till = processes_.emplace(name, std::move(process)).first->second;
  till.start();
  return till;
}

api::StatusAnswer BenchShop::wait_for(ControlClient& till, double limit_s,
                                      const std::function<bool(const api::StatusAnswer&)>& wanted) {
  const auto start = Clock::now();
  for (;;) {
    api::StatusAnswer status = client::require(till.ask(api::StatusRequest{}));
    if (wanted(status)) return status;
    require_that(seconds_since(start) < limit_s, "waited in vain; the status was " + json_text(api::write(status)));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // each answer costs the till half of one
  }
}

}  // namespace tillsync::bench
