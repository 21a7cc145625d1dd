// Looking at a till that does not run: its folder stays as it is, and nobody is kept from starting it.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "storage/disk/data_folder.hpp"
#include "tests/integration/shop.hpp"
#include "tools/client/folder.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

namespace fs = std::filesystem;

struct Kept {
  std::string content;
  fs::file_time_type changed;
  bool operator==(const Kept&) const = default;
};

std::map<std::string, Kept> all_of(const std::string& folder) {
  std::map<std::string, Kept> out;
  for (const auto& each : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(each.path(), folder).string();
    if (name == "control.sock") continue;
    out[name] = {each.is_regular_file() ? read_file(each.path().string()).value() : "", each.last_write_time()};
  }
  return out;
}

std::string names_of(const std::map<std::string, Kept>& before, const std::map<std::string, Kept>& after) {
  std::string out;
  for (const auto& [name, kept] : after) {
    if (!before.contains(name)) out += name + " is new; ";
    if (before.contains(name) && before.at(name) != kept) out += name + " changed; ";
  }
  return out;
}

}  // namespace

TEST_CASE("a till that does not run is looked at without a trace: no file is made or changed, and it says so") {
  const Folder f;
  const std::string data = f / "till-1";
  make_till(f, "till-1");
  SUBCASE("that has never run") {}
  SUBCASE("that was stopped") {
    write(f / "sales.csv", "Invoice,Item,Quantity\n1,bread,2\n2,roll,5\n");
    REQUIRE(run({"import", "--data", data, f / "sales.csv"}).code == 0);
  }
  SUBCASE("that crashed with sales that are in the journal alone") {
    client::Process crashed = till(f, "till-1");
    crashed.start();
    for (const char* key : {"1", "2"}) (void)crashed.ask(recording("sale", key, "bread"));
    crashed.kill();
    fs::remove(data + "/control.sock");
  }
  const auto before = all_of(data);
  const bool sold = before.contains("journal");
  const Outcome shown = run({"status", "--data", data});
  CHECK_MESSAGE(shown.code == 0, shown.err);
  CHECK(shown.out.find("not running; this is its data folder") != std::string::npos);
  CHECK(shown.out.find(sold ? "recorded      2" : "recorded      0") != std::string::npos);
  const Json status = Json::parse(run({"status", "--json", "--data", data}).out);
  CHECK(status["running"] == false);
  CHECK(status["unsent"] == (sold ? 2 : 0));
  CHECK(Json::parse(run({"queue", "--json", "--data", data}).out)["ops"].size() == (sold ? 2 : 0));
  CHECK(run({"conflicts", "list", "--data", data}).out == "Nothing waits for anybody.\n");
  CHECK(run({"lease", "status", "--data", data}).code == 0);
  CHECK(run({"lease", "history", "--data", data}).code == 0);
  CHECK(run({"setting", "list", "--data", data}).code == 0);
  const std::string exported = run({"export", "--data", data}).out;
  CHECK(std::count(exported.begin(), exported.end(), '\n') == (sold ? 2 : 0));
  CHECK(names_of(before, all_of(data)) == "");
}

TEST_CASE("whoever looks holds up no till that starts, and asks the one that has started meanwhile") {
  const Folder f;
  make_till(f, "till-1");
  write(f / "sales.csv", "Invoice,Item,Quantity\n1,bread,2\n");
  REQUIRE(run({"import", "--data", f / "till-1", f / "sales.csv"}).code == 0);
  client::Folder folder(f / "till-1");
  CHECK_FALSE(client::require(folder.ask(api::StatusRequest{})).running);
  client::Process running = till(f, "till-1");
  running.start();
  (void)running.ask(recording("sale", "later", "bread"));
  const auto status = client::require(folder.ask(api::StatusRequest{}));
  CHECK(status.running);
  CHECK(status.recorded == 2);
  CHECK(folder.running());
  running.kill();

  // One that has locked the folder and does not answer is not taken for one that does not run.
  const int lock = ::open((f / "till-1/lock").c_str(), O_RDWR | O_CLOEXEC);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  REQUIRE(::fcntl(lock, F_SETLK, &whole) == 0);
  check_refusal(run({"status", "--data", f / "till-1"}), "does not answer");
  ::close(lock);
}
