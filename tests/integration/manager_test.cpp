// What a manager does with the lease and the roster: looking on from another machine, settings, proofs, emergencies.
#include "storage/data_folder.hpp"
#include "tests/integration/shop.hpp"

using namespace tillsync;
using namespace tillsync::test;

// What needs the whole branch's consent, and what anyone may see or check.
void tillsync::test::manager_looks_on(const Folder& f, const std::string& roster, const std::string& tenant,
                                      const std::string& host) {
  const std::string other = host == "till-1" ? "till-2" : "till-1";
  REQUIRE(within(std::chrono::seconds(10), [&] {
    const Json s = status(f / host);
    return s["lease"] == "exclusive" && s["host"] == host && s["cloud_connected"] == true;
  }));
  const Outcome set = run({"setting", "set", "opening", "8-20", "--data", f / host});
  CAPTURE(set.err);
  CHECK(set.code == 0);
  check_refusal(run({"setting", "set", "opening", "9-20", "--data", f / other}), "ask there");
  CHECK(within(std::chrono::seconds(5), [&] {
    return run({"setting", "list", "--data", f / other}).out == "  opening = \"8-20\"\n";
  }));

  CHECK(run({"lease", "export", "--out", f / "now.lease", "--data", f / other}).code == 0);
  const Outcome verified = run({"lease", "verify", f / "now.lease", "--roster", roster});
  CHECK(verified.out.find("valid: " + host + " held the exclusive lease of branch main") == 0);
  std::string bytes = read_file(f / "now.lease").value();
  bytes[bytes.size() - 9] = static_cast<char>(bytes[bytes.size() - 9] ^ 1);
  write(f / "forged.lease", bytes);
  check_refusal(run({"lease", "verify", f / "forged.lease"}), "does not hold");
  check_refusal(run({"lease", "verify", f / "now.lease", "--tenant", std::string(64, 'a')}), "for another tenant");
  check_refusal(run({"lease", "verify", roster}), "is no exported lease");

  const std::string key = after(run({"roster", "key", "--out", f / "manager.key"}).out, "\nkey ");
  REQUIRE(run({"roster", "add", "--roster", roster, "--tenant-key", tenant, "--name", "manager", "--role", "manager",
               "--key", key})
              .code == 0);
  const std::string at = other + "@127.0.0.1:" + after(read_file(f / (other + ".log")).value(), "listens on port ");
  const std::vector<std::string> ask = {"lease", "status", "--at", at, "--key", f / "manager.key", "--roster", roster};
  check_refusal(run(ask), "is not in the roster");
  REQUIRE(run({"roster", "import", roster, "--data", f / host}).code == 0);
  CHECK(within(std::chrono::seconds(5), [&] { return run(ask).out.find(host + " hosts branch main") == 0; }));
}

TEST_CASE("an emergency roster leaves out the tills that are gone, and is confirmed by a person, not at once") {
  const Folder f;
  REQUIRE(run({"roster", "init", "--out", f / "shop", "--tenant", "Our Bakery", "--branch", "main"}).code == 0);
  const std::vector<std::string> with = {"--roster", f / "shop/main.roster", "--tenant-key", f / "shop/tenant.key"};
  auto roster = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "roster");
    arguments.insert(arguments.end(), with.begin(), with.end());
    return run(arguments);
  };
  for (const std::string name : {"till-1", "till-2", "till-3"}) {
    make_till(f, name);
    const Outcome again = run({"till", "init", "--data", f / name, "--branch", "main", "--till", name});
    const std::string key = after(again.out, "key ");
    REQUIRE(roster({"add", "--name", name, "--key", key}).code == 0);
  }
  check_refusal(roster({"confirm"}), "needs no confirmation");
  check_refusal(roster({"emergency", "--gone", "till-9"}), "till-9 is not in");
  const Outcome out = roster({"emergency", "--gone", "till-1", "--gone", "till-2"});
  CHECK(out.out.find("no lease is exclusive") != std::string::npos);
  const Json shown = Json::parse(run({"roster", "show", f / "shop/main.roster", "--json"}).out);
  CHECK(shown["epoch"] == 1);
  CHECK(shown["frozen"] == true);
  CHECK(shown["members"].size() == 1);
  check_refusal(roster({"confirm"}), "too early");
  REQUIRE(run({"roster", "import", f / "shop/main.roster", "--data", f / "till-3"}).code == 0);
  CHECK(run({"lease", "status", "--data", f / "till-3"}).out.find("An emergency roster is in force") !=
        std::string::npos);
}
