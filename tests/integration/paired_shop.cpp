#include "tests/integration/paired_shop.hpp"

#include "storage/disk/data_folder.hpp"
#include "tools/client/folder.hpp"

namespace tillsync::test {

PairedShop::PairedShop() {
  const std::string roster = f / "shop/main.roster";
  REQUIRE(
      run({"roster", "init", "--out", f / "shop", "--tenant", "Our Bakery", "--branch", "main", "--lease-ms", "1000"})
          .code == 0);
  const auto add = [&](const std::string& name, const std::string& key, std::vector<std::string> more) {
    more.insert(more.begin(), {"roster", "add", "--roster", roster, "--tenant-key", f / "shop/tenant.key", "--name",
                               name, "--key", key});
    REQUIRE(run(more).code == 0);
  };
  add("cloud", after(run({"cloud", "init", "--data", f / "cloud"}).out, "key "), {"--role", "cloud"});
  for (const char* person : {"support", "manager"})
    add(person, after(run({"roster", "key", "--out", f / (std::string(person) + ".key")}).out, "key "),
        {"--role", person});
  for (const std::string till : {"till-1", "till-2"}) {
    make_till(f, till);
    const Outcome again = run({"till", "init", "--data", f / till, "--branch", "main", "--till", till});
    add(till, after(again.out, "key "), {"--votes", till == "till-1" ? "1" : "0"});
  }
  for (const std::string folder : {"cloud", "till-1", "till-2"})
    REQUIRE(run({"roster", "import", roster, "--data", f / folder}).code == 0);
  start_cloud();
  tills_.reserve(2);
  for (const std::string till : {"till-1", "till-2"}) {
    const std::string settings = read_file(f / (till + "/till.toml")).value();
    write(f / (till + "/till.toml"), "cloud = \"127.0.0.1:" + port_ + "\"\n" + settings);
    tills_.push_back(test::till(f, till));
    tills_.back().start();
    (void)tills_.back().connect();
  }
  REQUIRE(within(std::chrono::seconds(20), [&] { return status(f / "till-2")["lease"] == "exclusive"; }));
  settle_down();
}

// The second time where it was.
void PairedShop::start_cloud() {
  cloud_.emplace("cloud", f / "cloud",
                 std::vector<std::string>{program(), "cloud", "--data", f / "cloud", "--listen", "127.0.0.1:" + port_});
  cloud_->start();
  port_ = std::to_string(cloud_->ask(api::CloudStatusRequest{}).port);
}

void PairedShop::stop_cloud() { cloud_->kill(); }

void PairedShop::record(const std::string& till, const std::string& kind, const std::string& key,
                        const std::string& sku, std::int64_t milli, const std::string& cashier) {
  ask(till, recording(kind, key, sku, milli, cashier));
}

void PairedShop::settle_down() {
  REQUIRE(within(std::chrono::seconds(20), [&] {
    const Json one = status(f / "till-1"), two = status(f / "till-2");
    return one["unsent"] == 0 && two["unsent"] == 0 && one["relaying"] == 0;
  }));
}

Json PairedShop::conflicts(const std::string& where) {
  return Json::parse(tell({"conflicts", "list", "--all", "--json"}, where).out);
}

Outcome PairedShop::tell(std::vector<std::string> command, const std::string& where) {
  command.insert(command.end(), {"--data", f / where});
  return run(command);
}

Outcome PairedShop::from_afar(std::vector<std::string> command, const std::string& key) {
  command.insert(command.end(),
                 {"--at", "cloud@127.0.0.1:" + port_, "--key", f / key, "--roster", f / "shop/main.roster"});
  return run(command);
}

}  // namespace tillsync::test
