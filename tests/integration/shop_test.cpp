// A small shop set up by hand with the command line, as docs/running-a-shop.md says, and what can go wrong with it.
#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "storage/disk/data_folder.hpp"
#include "tests/integration/shop.hpp"

using namespace tillsync;
using namespace tillsync::test;
using client::Process;

TEST_CASE("two machines and a cloud become a shop by the documented commands: a key, a roster, a pairing code") {
  const Folder f;
  const std::string cloud_key = after(run({"cloud", "init", "--data", f / "cloud"}).out, "key ");
  REQUIRE(run({"roster", "init", "--out", f / "shop", "--tenant", "Our Bakery", "--branch", "main"}).code == 0);
  const std::string roster = f / "shop/main.roster", tenant = f / "shop/tenant.key";
  REQUIRE(run({"roster", "add", "--roster", roster, "--tenant-key", tenant, "--name", "cloud", "--role", "cloud",
               "--key", cloud_key})
              .code == 0);
  REQUIRE(run({"roster", "import", roster, "--data", f / "cloud"}).code == 0);
  Process cloud("cloud", f / "cloud", {test::program(), "cloud", "--data", f / "cloud", "--listen", "127.0.0.1:0"});
  cloud.start();
  const std::string port = std::to_string(cloud.ask(api::CloudStatusRequest{}).port);

  std::vector<Process> tills;
  for (const std::string name : {"till-1", "till-2"}) {
    make_till(f, name);
    std::vector<std::string> inviting = {"pair", "invite",   "--roster",    roster,    "--tenant-key",
                                         tenant, "--listen", "127.0.0.1:0", "--cloud", "127.0.0.1:" + port};
    if (!tills.empty()) {  // most tills must have the roster of before
      check_refusal(run(inviting), "most tills must have version 3");
      inviting.insert(inviting.end(), {"--data", f / "till-1"});
    }
    const std::string ours = "# ours\n" + read_file(f / (name + "/till.toml")).value() +
                             "[http]\nlisten = \"127.0.0.1:0\"\nmetrics_key = \"m\"  # for the monitor\n";
    write(f / (name + "/till.toml"), ours);
    const Outcome joined = pair_by(f, name, inviting, tills.empty());
    const std::string joined_toml = read_file(f / (name + "/till.toml")).value();
    CHECK(joined_toml.find("cloud = \"127.0.0.1:" + port + "\"") != std::string::npos);
    for (const char* kept : {"# ours\n", "metrics_key = \"m\"  # for the monitor\n"})
      CHECK_MESSAGE(joined_toml.find(kept) != std::string::npos, joined_toml);
    CHECK(joined.out.find("joined branch main of Our Bakery") != std::string::npos);
    tills.push_back(till(f, name));
    tills.back().start();
  }
  // till-2 brings the roster that names it: nobody told till-1.
  REQUIRE(within(std::chrono::seconds(20), [&] {
    return status(f / "till-1")["lease"] == "exclusive" && status(f / "till-2")["lease"] == "exclusive";
  }));
  write(f / "sales.csv", "Invoice,Item,Quantity\n1,bread,2\n2,roll,5\n");
  REQUIRE(run({"import", "--data", f / "till-2", f / "sales.csv"}).code == 0);
  CHECK(within(std::chrono::seconds(20), [&] { return status(f / "till-2")["unsent"] == 0; }));
  CHECK(run({"queue", "--data", f / "till-2"}).out == "The queue is empty: all has reached the cloud.\n");
  CHECK(run({"export", "--data", f / "cloud"}).out.find("\"invoice\":\"2\"") != std::string::npos);

  // The manager looks at the lease, and moves it.
  const std::string host = status(f / "till-1")["host"], other = host == "till-1" ? "till-2" : "till-1";
  const std::string seen = run({"lease", "status", "--data", f / host}).out;
  CAPTURE(seen);
  for (const std::string& part :
       {host + " hosts branch main", std::string("a majority of the tills"),
        other + "        1      nothing         connected", std::string("was elected in term")})
    CHECK(seen.find(part) != std::string::npos);
  check_refusal(run({"lease", "handover", "--to", host, "--data", f / other}), "ask there");
  check_refusal(run({"lease", "handover", "--to", "till-9", "--data", f / host}), "no till of the name till-9");
  CHECK(run({"lease", "handover", "--to", other, "--data", f / host}).code == 0);
  CHECK(within(std::chrono::seconds(10), [&] { return status(f / host)["host"] == other; }));
  CHECK(run({"lease", "history", "--data", f / other}).out.find(host + " handed the lease back") != std::string::npos);

  manager_looks_on(f, roster, tenant, other);
  conflicts_are_seen(f);

  // Rows come down.
  write(f / "products.ndjson",
        "{\"id\":\"bread\",\"name\":\"Bread\",\"price\":350}\nnonsense\n{\"id\":\"roll\",\"price\":45}\n");
  const Outcome rows = run({"import", "--data", f / "cloud", "--kind", "product", f / "products.ndjson"});
  CHECK(rows.out == "2 rows read, 2 changed, 1 left out\n");
  CHECK(rows.err.find("line 2") != std::string::npos);
  auto has_bread = [&] { return tills[0].connect().ask(api::RowRequest{"product", "bread"}).has_value(); };
  CHECK(within(std::chrono::seconds(10), has_bread));

  // A till that is removed can no longer connect, and its neighbour says so.
  const Outcome removed =
      run({"roster", "remove", "--roster", roster, "--tenant-key", tenant, "--name", "till-2", "--data", f / "till-1"});
  CAPTURE(removed.err);
  REQUIRE(removed.code == 0);
  REQUIRE(run({"roster", "import", roster, "--data", f / "till-1"}).code == 0);
  CHECK(within(std::chrono::seconds(15), [&] {
    return read_file(f / "till-1.log").value_or("").find("till-2 is not in the roster") != std::string::npos;
  }));
}

TEST_CASE("bad input gets one sentence that says what to do, and a non-zero exit") {
  const Folder f;
  make_till(f, "till-1");
  check_refusal(run({"till", "--data", f / "nowhere"}), "there is no data folder at");
  check_refusal(run({"status", "--data", f.path}), "is no data folder of a till or a cloud");
  check_refusal(run({"till", "init", "--data", "/sys/kernel", "--branch", "main", "--till", "till-9"}),
                "make it writable");
  check_refusal(run({"till", "init", "--data", f / "x", "--branch", "Main Street", "--till", "till-9"}),
                "is not a name");
  check_refusal(run({"till", "init", "--data", f / "till-1", "--branch", "other", "--till", "till-1"}),
                "belongs to till-1 of branch main");
  check_refusal(run({"cloud", "--data", f / "till-1", "--listen", "nonsense"}), "is not an address");
  check_refusal(run({"demo", "--sales", f / "missing.csv"}), "can't read");
  write(f / "odd.csv", "a,b\n1,2\n");
  check_refusal(run({"import", "--data", f / "till-1", f / "odd.csv"}), "no column for the invoice");
  check_refusal(run({"import", "--data", f / "till-1", f / "odd.csv", "--column", "colour=a"}), "is no column");
  check_refusal(run({"pair", "join", "--data", f / "till-1", "--code", "short", "--at", "127.0.0.1:1"}),
                "twelve letters");
  check_refusal(run({"pair", "join", "--data", f / "till-1", "--code", "AAAABBBBCCCC", "--at", "127.0.0.1:1"}),
                "nobody invites at");
  check_refusal(run({"sim", "--seed", "x"}), "is no seed");
  CHECK(run({"nonsense"}).code != 0);
  for (const char* command : {"demo", "till", "cloud", "status", "queue", "import", "export", "recover", "roster",
                              "pair", "journal", "lease", "doctor", "sim"}) {
    CAPTURE(command);
    const Outcome help = run({command, "--help"});
    CHECK(help.code == 0);
    CHECK(help.out.find("--help") != std::string::npos);
  }
  SUBCASE("a second process on the same data is told the first one's pid (Odoo 152259), a taken port is named") {
    Process first = till(f, "till-1");
    first.start();
    const int port =
        after(read_file(f / "till-1.log").value_or("") + (first.connect(), read_file(f / "till-1.log").value_or("")),
              "listens on port ")
                .empty()
            ? 0
            : std::stoi(after(read_file(f / "till-1.log").value(), "listens on port "));
    check_refusal(run({"till", "--data", f / "till-1"}), "is in use by process");
    make_till(f, "till-2");
    check_refusal(run({"till", "--data", f / "till-2", "--listen", "127.0.0.1:" + std::to_string(port)}),
                  "port " + std::to_string(port) + " is in use");
  }
}

TEST_CASE(
    "unreadable rows are counted with their line numbers and lose nothing else; a card number is refused and written "
    "nowhere") {
  const Folder f;
  make_till(f, "till-1");
  write(f / "sales.csv",
        "Invoice,Item,Quantity,Description\n1,bread,2,Bread\n2,roll,many,Roll\n3,cake,1,4111 1111 1111 "
        "1111\n4,tea,1,Tea\n");
  const Outcome done = run({"import", "--data", f / "till-1", f / "sales.csv"});
  CHECK(done.code == 0);
  CHECK(done.out == "2 ops of 2 invoices recorded, 2 rows left out\n");
  CHECK(done.err.find("line 3: 'many' is no quantity") != std::string::npos);
  CHECK(done.err.find("line 4: a card number") != std::string::npos);
  Process running = till(f, "till-1");
  running.start();
  api::RecordRequest with_card = recording("sale", "k", "x");
  with_card.op.document.note = "4111111111111111";
  const auto refused = running.connect().ask(with_card);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("card number") != std::string::npos);
  running.kill();
  CHECK(test::shell("grep -rl -e 4111111111111111 -e '4111 1111' '" + f / "till-1' '" + f / "till-1.log'").out.empty());
}

TEST_CASE("strangers, liars and a half-open connection do a till no harm") {
  const Folder f;
  make_till(f, "till-1");
  Process running = till(f, "till-1");
  running.start();
  ControlClient control = running.connect();
  const int port = std::stoi(after(read_file(f / "till-1.log").value(), "listens on port "));
  asio::io_context io;
  for (const std::string& bytes :
       {std::string("\xff\xff garbage that claims to be 65,535 bytes"), std::string(1 << 20, 'x'),
        std::string("\0\0", 2), std::string("GET / HTTP/1.1\r\n\r\n"), std::string()}) {
    asio::ip::tcp::socket socket(io);
    socket.connect({asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(port)});
    asio::error_code ignored;
    asio::write(socket, asio::buffer(bytes), ignored);
  }
  CHECK(control.ask(recording("sale", "still selling", "x")));
}

TEST_CASE(
    "a damaged database is noticed at the start, and recover rebuilds it from the journal without losing a sale") {
  const Folder f;
  make_till(f, "till-1");
  std::string csv = "Invoice,Item\n";
  for (int i = 0; i < 500; ++i) csv += std::to_string(i) + ",sku-" + std::to_string(i % 9) + "\n";
  write(f / "sales.csv", csv);
  REQUIRE(run({"import", "--data", f / "till-1", f / "sales.csv"}).code == 0);
  {
    Process crashed = till(f, "till-1");
    crashed.start();
    (void)crashed.connect();
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // a checkpoint
  }
  std::string bytes = read_file(f / "till-1/db/data.mdb").value();
  SUBCASE("overwritten in the middle") {
    for (std::size_t at = 3 * 4096; at < bytes.size(); at += 997) bytes[at] = static_cast<char>(~bytes[at]);
  }
  SUBCASE("cut short") { bytes.resize(bytes.size() / 2); }
  SUBCASE("no database at all") { bytes = "this is no database"; }
  REQUIRE(replace_file(f / "till-1/db/data.mdb", bytes));
  const std::string advice = "tillsync recover --data " + f / "till-1";
#ifdef TILLSYNC_LATE_CHILD_SHIM
  // On a busy machine as well, where the check begins late.
  const std::string late = "LD_PRELOAD='" TILLSYNC_LATE_CHILD_SHIM "' '" + test::program() + "' till --data '";
  check_refusal(test::shell(late + f / "till-1'"), advice);
  REQUIRE(replace_file(f / "till-1/running", ""));  // as the crash left it
#endif
  check_refusal(run({"till", "--data", f / "till-1"}), advice);
  const Outcome recovered = run({"recover", "--data", f / "till-1"});
  CAPTURE(recovered.err);
  CHECK(recovered.code == 0);
  CHECK(recovered.out.find("rebuilt from 500 ops") != std::string::npos);
  const Json s = status(f / "till-1");
  CHECK(s["recorded"] == 500);
  CHECK(s["forks"] == 0);
  const Outcome all = run({"export", "--data", f / "till-1"});
  CHECK(std::count(all.out.begin(), all.out.end(), '\n') == 500);
  CHECK(run({"doctor", "--data", f / "till-1"}).code == 0);
}

TEST_CASE("a damaged journal record is named by 'journal verify', with segment and offset") {
  const Folder f;
  make_till(f, "till-1");
  write(f / "sales.csv", "Invoice,Item\n1,a\n2,b\n3,c\n");
  REQUIRE(run({"import", "--data", f / "till-1", f / "sales.csv"}).code == 0);
  CHECK(run({"journal", "verify", "--data", f / "till-1"}).out.find("journal: sound") != std::string::npos);
  const std::string path = f / "till-1/journal/00000001.journal";
  std::string bytes = read_file(path).value();
  bytes[120] = static_cast<char>(bytes[120] ^ 1);
  REQUIRE(replace_file(path, bytes));
  const Outcome verified = run({"journal", "verify", "--data", f / "till-1"});
  CHECK(verified.code != 0);
  CHECK(verified.out.find("DAMAGED at segment 1, offset 32") != std::string::npos);
}
