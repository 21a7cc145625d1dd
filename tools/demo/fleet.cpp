#include "tools/demo/fleet.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "transport/base/settings.hpp"

namespace tillsync::demo {

using client::require;

namespace {

constexpr auto kPatience = std::chrono::seconds(15);

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

}  // namespace

Fleet::Fleet(int tills, const std::string& where, const std::string& program, const std::string& store)
    : folder_(where) {
  const SecretKey tenant = fresh_secret();
  Roster roster;
  roster.tenant = "Demo";
  roster.keys = TenantKeys::founded(tenant.public_key(), fresh_secret().public_key());
  roster.branch = BranchId{"demo"};
  auto cloud_folder = require(DataFolder::lock(folder_ + "/cloud", true));
  roster.add({TillId{"cloud"}, Binary(require(load_identity(cloud_folder, true)).public_key().view()), Role::cloud, 0});
  std::vector<DataFolder> folders;
  for (int i = 1; i <= tills; ++i) {
    const std::string name = std::string(i < 10 ? "till-0" : "till-") + std::to_string(i);
    folders.push_back(require(DataFolder::lock(folder_ + "/" + name, true)));
    const SecretKey key = require(load_identity(folders.back(), true));
    roster.add({TillId{name}, Binary(key.public_key().view()), Role::till, 1});
  }
  roster.sign(tenant);
  std::filesystem::create_directories(folder_ + "/cloud/rosters");
  require(replace_file(folder_ + "/cloud/rosters/demo.roster", roster.encoded()));
  { const DataFolder unlock = std::move(cloud_folder); }
  std::vector<std::string> serve{program, "cloud", "--data", folder_ + "/cloud"};
  if (!store.empty()) serve.insert(serve.end(), {"--store", store});
  serve.insert(serve.end(), {"--listen", "127.0.0.1:0"});
  members_.emplace_back("cloud", folder_ + "/cloud", serve);
  cloud().start();
  const int port = cloud().ask(api::CloudStatusRequest{}).port;
  cloud().listen_on(port);
  for (DataFolder& folder : folders) {
    const std::string path = folder.path(), name = path.substr(path.rfind('/') + 1);
    Settings settings;
    settings.branch = roster.branch;
    settings.till = TillId{name};
    settings.listen = {"127.0.0.1", 0};
    settings.cloud.emplace(Address{"127.0.0.1", static_cast<std::uint16_t>(port)});
    settings.interface = "lo";
    require(replace_file(folder.file("till.toml"), settings.toml()));
    require(replace_file(folder.file("roster.bin"), roster.encoded()));
    members_.emplace_back(name, path, std::vector<std::string>{program, "till", "--data", path});
  }
  folders.clear();  // unlocked before the first is started: a child has copies of its parent's locks until it execs
  for (std::size_t i = 0; i < this->tills(); ++i) till(i).start();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto elected = host();
    if (elected && till(*elected).ask(api::StatusRequest{}).cloud_connected) return;
    if (std::chrono::steady_clock::now() >= until) {
      throw client::Failure{
          "the tills did not find each other within 15 s: is multicast blocked on the loopback interface? The logs are "
          "in " +
          folder_};
    }
    nap();
  }
}

Fleet::~Fleet() = default;

std::optional<std::size_t> Fleet::host(std::optional<std::size_t> except) {
  std::string name;
  for (std::size_t i = 0; i < tills(); ++i) {
    if (i == except || !till(i).running()) continue;
    const api::LeaseAnswer lease = till(i).ask(api::LeaseRequest{});
    const std::string& each = lease.host;
    if (each.empty() || (!name.empty() && each != name)) return std::nullopt;
    if (tills() > 1 && lease.kind != "exclusive") return std::nullopt;
    name = each;
  }
  for (std::size_t i = 0; i < tills(); ++i) {
    if (till(i).name() == name && i != except) return i;
  }
  return std::nullopt;
}

}  // namespace tillsync::demo
