// What a manager does with the lease and the roster: looking on from another machine, settings, proofs, emergencies.
#include "storage/disk/data_folder.hpp"
#include "tests/integration/shop.hpp"
#include "tools/client/folder.hpp"

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

// At every tier, with who and when.
void tillsync::test::conflicts_are_seen(const Folder& f) {
  const auto record = [&](const std::string& till, const char* kind, const char* key, const char* sku) {
    REQUIRE(client::Folder(f / till).ask(recording(kind, key, sku)));
  };
  record("till-1", "restock", "delivery/1", "cake");
  record("till-1", "sale", "sale/a", "cake");
  record("till-2", "sale", "sale/b", "cake");
  record("till-1", "sale", "twice", "tea");
  record("till-2", "sale", "twice", "milk");
  for (const std::string where : {"cloud", "till-1", "till-2"}) {
    CAPTURE(where);
    const auto list = [&] { return run({"conflicts", "list", "--data", f / where}).out; };
    CHECK(within(std::chrono::seconds(10), [&] {
      return list().find("the stock of cake went down to -1") != std::string::npos &&
             list().find("the key 'twice' names two different ops") != std::string::npos;
    }));
    int shown = 0;
    for (const Json& c : Json::parse(run({"conflicts", "list", "--json", "--data", f / where}).out)) {
      const std::string said = run({"conflicts", "show", c["id"].get<std::string>(), "--data", f / where}).out;
      CAPTURE(said);
      CHECK(said.find("days ago") == std::string::npos);
      if (c["kind"] == "below_zero") CHECK(said.find("sold 1 by ann  (sale/b)") != std::string::npos);
      if (c["kind"] == "below_zero") CHECK(said.find("at stake: 3.50\n") != std::string::npos);
      if (c["kind"] == "duplicate_key") CHECK(said.find("till-1") != std::string::npos);
      shown += c["kind"] == "below_zero" || c["kind"] == "duplicate_key" ? 1 : 0;
    }
    CHECK(shown == 2);
  }
  check_refusal(run({"conflicts", "show", "nothing", "--data", f / "till-1"}), "there is no conflict 'nothing'");
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

TEST_CASE("the tenant's keys: the cloud lets a till in, the signing key is changed, then stolen, then recovered") {
  const Folder f;
  REQUIRE(
      run({"roster", "init", "--out", f / "shop", "--tenant", "Our Bakery", "--branch", "main", "--lease-ms", "1000"})
          .code == 0);
  const std::string file = f / "shop/main.roster";
  const auto roster = [&](const std::string& verb, const std::string& key, std::vector<std::string> more) {
    more.insert(more.begin(), {"roster", verb, "--roster", file, "--tenant-key", f / key});
    return run(more);
  };
  const auto hand_to = [&](const std::string& whom) { return run({"roster", "import", file, "--data", f / whom}); };
  const auto shown = [&](const std::string& till) {
    return Json::parse(run({"roster", "show", "--data", f / till, "--json"}).out);
  };
  make_till(f, "till-1");
  make_till(f, "till-2");
  const std::string cloud_key = after(run({"cloud", "init", "--data", f / "cloud"}).out, "key ");
  const Outcome known = run({"till", "init", "--data", f / "till-1", "--branch", "main", "--till", "till-1"});
  REQUIRE(roster("add", "shop/tenant.key", {"--name", "cloud", "--role", "cloud", "--key", cloud_key}).code == 0);
  REQUIRE(roster("add", "shop/tenant.key", {"--name", "till-1", "--key", after(known.out, "key ")}).code == 0);
  REQUIRE(hand_to("cloud").code == 0);
  check_refusal(run({"pair", "invite", "--data", f / "cloud"}), "does not let this cloud pair");
  check_refusal(run({"pair", "invite", "--data", f / "till-1"}), "a till can't invite by itself");
  REQUIRE(roster("delegate", "shop/tenant.key", {"--on"}).code == 0);
  REQUIRE(hand_to("cloud").code == 0);
  REQUIRE(hand_to("till-1").code == 0);

  client::Process cloud("cloud", f / "cloud", {program(), "cloud", "--data", f / "cloud", "--listen", "127.0.0.1:0"});
  cloud.start();
  const std::string at = "127.0.0.1:" + std::to_string(cloud.ask(api::CloudStatusRequest{}).port);
  write(f / "till-1/till.toml", "cloud = \"" + at + "\"\n" + read_file(f / "till-1/till.toml").value());
  client::Process first = till(f, "till-1");
  first.start();
  pair_by(f, "till-2", {"pair", "invite", "--data", f / "cloud", "--listen", "127.0.0.1:0", "--cloud", at});
  client::Process second = till(f, "till-2");
  second.start();
  (void)second.connect();
  REQUIRE(within(std::chrono::seconds(20), [&] { return status(f / "till-2")["lease"] == "exclusive"; }));
  CHECK(status(f / "till-2")["host"] == "till-1");
  write(f / "sales.csv", "Invoice,Item,Quantity\n1,bread,2\n");
  REQUIRE(run({"import", "--data", f / "till-2", f / "sales.csv"}).code == 0);
  CHECK(within(std::chrono::seconds(20), [&] { return status(f / "till-2")["unsent"] == 0; }));

  // It stays when the tenant signs again, and gets its vote.
  check_refusal(roster("rotate", "shop/tenant.key", {"--out", f / "shop/new.key"}), "so that they stay");
  const Outcome rotated = roster("rotate", "shop/tenant.key", {"--out", f / "shop/new.key", "--data", f / "till-1"});
  CHECK(rotated.out.find("till-2 joined by the cloud and stays") == 0);
  REQUIRE(hand_to("till-1").code == 0);
  CHECK(within(std::chrono::seconds(10), [&] { return shown("till-2")["members"].size() == 3; }));
  check_refusal(roster("vote", "shop/tenant.key", {"--on", "--name", "till-2", "--data", f / "till-1"}),
                "use the tenant's newest key");
  const Outcome voting = roster("vote", "shop/new.key", {"--on", "--name", "till-2", "--data", f / "till-1"});
  CAPTURE(voting.err);
  REQUIRE(voting.code == 0);
  REQUIRE(hand_to("till-2").code == 0);

  // A thief with the new key signs; the recovery key takes the shop back.
  const std::string mine = read_file(file).value();
  REQUIRE(roster("delegate", "shop/new.key", {"--off", "--data", f / "till-1"}).code == 0);
  REQUIRE(hand_to("till-1").code == 0);
  const std::string thiefs = read_file(file).value();
  write(file, mine);
  const Outcome saved =
      run({"roster", "recover", "--roster", file, "--recovery-key", f / "shop/recovery.key", "--out", f / "saved"});
  CAPTURE(saved.err);
  REQUIRE(saved.code == 0);
  REQUIRE(hand_to("till-2").code == 0);
  CHECK(within(std::chrono::seconds(10), [&] { return shown("till-1")["version"] == 1'000'000; }));
  CHECK(shown("till-1")["cloud_pairs"] == true);
  CHECK(shown("till-1")["tenant_id"] == Json::parse(run({"roster", "show", file, "--json"}).out)["tenant_id"]);
  write(file, thiefs);
  check_refusal(hand_to("till-1"), "it has version 1000000 already");
}
