#include "tests/network/lan_shop.hpp"

#include <filesystem>
#include <iostream>

#include "tools/client/folder.hpp"
#include "transport/base/settings.hpp"

namespace tillsync::test {

namespace {
SecretKey key_in(const DataFolder& folder) { return client::require(load_identity(folder, true)); }
}  // namespace

bool namespaces_here() {
  static const std::string why = Switch::unusable();
  if (!why.empty()) std::cerr << "skipped: " << why << '\n';
  return why.empty();
}

LanShop::LanShop(const Plan& plan) : tenant_(fresh_secret()) {
  if (!plan.mdns) switch_.block_multicast();
  for (int i = 0; i < plan.tills + plan.spare; ++i) switch_.add_host();
  roster_.tenant = "Network tests";
  roster_.keys = TenantKeys::founded(tenant_.public_key(), tenant_.public_key());
  roster_.branch = BranchId{"lan"};
  roster_.lease_ms = plan.lease_ms;
  for (int i = 0; i < plan.tills + plan.spare; ++i) make_till(i, plan);
  if (plan.cloud) {
    cloud_host_ = switch_.add_host();
    const DataFolder folder = client::require(DataFolder::lock(root_ / "cloud", true));
    roster_.add({TillId{"cloud"}, Binary(key_in(folder).public_key().view()), Role::cloud, plan.witness ? 1U : 0U});
  }
  roster_.sign(tenant_);
  if (plan.cloud) {
    std::filesystem::create_directories(root_ / "cloud/rosters");
    client::require(replace_file(root_ / "cloud/rosters/lan.roster", roster_.encoded()));
    cloud_ = std::make_unique<client::Process>(
        "cloud", root_ / "cloud",
        std::vector<std::string>{"/sbin/ip", "netns", "exec", switch_.space(cloud_host_), program(), "cloud", "--data",
                                 root_ / "cloud", "--listen", "0.0.0.0:7800"});
    cloud_->start();
  }
  for (int i = 0; i < plan.tills; ++i) {
    client::require(replace_file(folder(i) + "/roster.bin", roster_.encoded()));
    start(i);
  }
}

LanShop::~LanShop() {
  clients_.clear();
  members_.clear();
  cloud_.reset();
}

void LanShop::make_till(int i, const Plan& plan) {
  const DataFolder data = client::require(DataFolder::lock(folder(i), true));
  if (i < plan.tills) roster_.add({TillId{name(i)}, Binary(key_in(data).public_key().view()), Role::till, 1});
  (void)key_in(data);
  Settings settings;
  settings.branch = roster_.branch;
  settings.till = TillId{name(i)};
  settings.mdns = plan.mdns;
  if (plan.cloud) settings.cloud = Address{switch_.address(plan.tills + plan.spare), 7800};
  for (int other = 0; !plan.mdns && other < plan.tills + plan.spare; ++other) {
    if (other != i) settings.peers.push_back({TillId{name(other)}, Address{switch_.address(other), 7700}});
  }
  client::require(replace_file(data.file("till.toml"), settings.toml()));
  std::vector<std::string> command = {"/sbin/ip", "netns", "exec", switch_.space(i)};
  if (plan.clocks)
    command.insert(command.end(),
                   {"/usr/bin/env", "LD_PRELOAD=" TILLSYNC_CLOCK_SHIM, "TILLSYNC_TEST_CLOCK=" + folder(i) + "/clock"});
  command.insert(command.end(), {program(), "till", "--data", folder(i)});
  members_.emplace_back(name(i), folder(i), std::move(command));
}

Binary LanShop::key_of(int i) const {
  const DataFolder data = client::require(DataFolder::lock(folder(i), false));
  return Binary(key_in(data).public_key().view());
}

void LanShop::set_clock(int i, int seconds_off) {
  client::require(replace_file(folder(i) + "/clock", std::to_string(seconds_off)));
}

void LanShop::hand_out(int to, const std::function<void(Roster&)>& change) {
  change(roster_);
  ++roster_.version;
  roster_.sign(tenant_);
  ask(to, api::TakeRosterRequest{{roster_.encoded()}});
}

ControlClient& LanShop::client_of(int i) {
  auto it = clients_.find(i);
  if (it == clients_.end()) it = clients_.emplace(i, till(i).connect()).first;
  return it->second;
}

Receipt LanShop::sell(int i, int count) {
  Receipt receipt;
  for (int n = 0; n < count; ++n) {
    ++sold_;
    OpDraft sale{.kind = OpKind::sale, .key = "sale/" + std::to_string(sold_), .cashier = {}, .document = {}};
    sale.document.lines.push_back({"bread", Quantity::units(1), 0, {}});
    receipt = ask(i, api::RecordRequest{{}, std::move(sale)});
  }
  return receipt;
}

std::vector<int> LanShop::exclusive_holders() {
  std::vector<int> holders;
  for (int i = 0; i < tills(); ++i) {
    if (!answers(i)) continue;
    const auto l = lease(i);
    if (l.kind == "exclusive" && l.host == name(i)) holders.push_back(i);
  }
  return holders;
}

std::optional<int> LanShop::host() {
  const auto holders = exclusive_holders();
  if (holders.size() != 1) return std::nullopt;
  for (int i = 0; i < tills(); ++i) {
    if (answers(i) && lease(i).host != name(holders.front())) return std::nullopt;
  }
  return holders.front();
}

int LanShop::the_host() {
  std::optional<int> found;
  REQUIRE(until(std::chrono::seconds(20), [&] { return (found = host()).has_value(); }));
  return *found;
}

bool LanShop::until(std::chrono::milliseconds limit, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

bool LanShop::settled() {
  if (!host()) return false;
  for (int i = 0; i < tills(); ++i) {
    if (answers(i) && ask(i, api::StatusRequest{}).unsent != 0) return false;
  }
  return true;
}

void LanShop::settles() {
  const bool done = until(std::chrono::seconds(60), [&] { return settled(); });
  for (int i = 0; i < tills() && !done; ++i) {
    if (answers(i)) MESSAGE(json_text(api::write(lease(i))));
  }
  REQUIRE(done);
  CHECK(in_cloud() == sold());
}

int LanShop::in_cloud() {
  client::Folder folder(root_ / "cloud");
  int count = 0;
  client::all_ops(folder, "lan",
                  [&](const api::OpView& op) { count += op.kind == "sale" && op.effect == OpEffect::applied ? 1 : 0; });
  return count;
}

void LanShop::kill(int i) {
  clients_.erase(i);
  till(i).kill();
}

}  // namespace tillsync::test
