// A real till under a preloaded shim: its power is cut, its disk fills up or fails, its memory runs out.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "storage/base/random.hpp"
#include "tests/scratch.hpp"
#include "tests/torture/scale.hpp"
#include "tools/demo/fleet.hpp"

using namespace tillsync;
using namespace tillsync::torture;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSector = 512;

struct Told {
  std::set<std::string> receipts;  // keys
  std::vector<std::string> refusals;
};

// One till in a folder of its own, which makes no connections; the shim is told what to do by its environment.
class ShimmedTill {
 public:
  explicit ShimmedTill(const std::string& where) : folder_(where + "/till"), durable_(where + "/durable") {
    client::Process init("init", folder_,
                         {TILLSYNC_PROGRAM, "till", "init", "--data", folder_, "--branch", "main", "--till", "till-1",
                          "--listen", "127.0.0.1:0"});
    init.start();
    while (init.alive()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    make_durable();
  }

  // False when it ended before it answered.
  bool start(const std::string& fault) {
    fs::create_directories(durable_ + "/db");
    fs::create_directories(durable_ + "/journal");
    process_.emplace(
        "till", folder_,
        std::vector<std::string>{"/usr/bin/env", std::string("LD_PRELOAD=") + TILLSYNC_DISK_SHIM,
                                 "TILLSYNC_SHIM_FOLDER=" + folder_, "TILLSYNC_SHIM_DURABLE=" + durable_,
                                 "TILLSYNC_SHIM_FAULT=" + fault, TILLSYNC_PROGRAM, "till", "--data", folder_});
    process_->start();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (process_->alive() && std::chrono::steady_clock::now() < until) {
      if (ControlClient::connect(folder_)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
  }

  void sell(int sales, Told& told) {
    auto client = ControlClient::connect(folder_);
    for (int i = 0; client && i < sales; ++i) {
      const std::string key = "sale/" + std::to_string(++sales_);
      OpDraft sale{.kind = OpKind::sale, .key = key, .cashier = "ada", .document = {}};
      sale.document.lines.push_back({"bread", Quantity::units(1), 350, {}});
      const auto answer = client->ask(api::RecordRequest{{}, std::move(sale)});
      if (!answer && !process_->alive()) return;
      answer ? void(told.receipts.insert(key)) : told.refusals.push_back(answer.error().message);
    }
  }

  void kill() {
    if (process_ && process_->alive()) process_->kill();
    process_.reset();
  }

  // The disk as it may be after the cut: of what was not flushed, each sector is there or not.
  void lose_power(Random& random) {
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string path = entry.path().string(), kept = durable_ + path.substr(folder_.size());
      if (!entry.is_regular_file() || path.ends_with("lock.mdb") || path.ends_with("/lock")) continue;
      Bytes now = read(path), durable = read(kept);
      if (!fs::exists(kept) && random.below(2) == 0) {
        fs::remove(path);
        continue;
      }
      if (now.size() > durable.size())
        durable.resize(durable.size() + random.below(now.size() - durable.size() + 1), '\0');
      for (std::size_t at = 0; at < std::min(now.size(), durable.size()); at += kSector) {
        const std::size_t n = std::min({kSector, now.size() - at, durable.size() - at});
        if (random.below(2) == 0) durable.replace(at, n, now, at, n);
      }
      std::ofstream(path, std::ios::binary | std::ios::trunc) << durable;
    }
    fs::remove(folder_ + "/db/lock.mdb");
    make_durable();
  }

  std::string missing(const Told& told) {
    auto client = ControlClient::connect(folder_);
    if (!client) return "it does not answer";
    for (const std::string& key : told.receipts) {
      auto where = client->ask(api::WhereRequest{key});
      if (!where) return key + ": " + where.error().message;
    }
    return {};
  }

  client::Process& process() { return *process_; }
  std::string log() const { return read(folder_ + ".log"); }

 private:
  // All that is there now, as the shim finds it.
  void make_durable() {
    fs::remove_all(durable_);
    fs::create_directories(durable_);
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string to = durable_ + entry.path().string().substr(folder_.size());
      if (entry.is_directory()) fs::create_directories(to);
      if (entry.is_regular_file()) fs::copy_file(entry.path(), to);
    }
  }
  static Bytes read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
  }
  std::string folder_, durable_;
  std::optional<client::Process> process_;
  int sales_ = 0;
};

}  // namespace

TEST_CASE(
    "the power of a real till is cut while it sells, and its disk keeps no more than it must: every receipt is there") {
  const test::Folder folder;
  Random random(static_cast<std::uint64_t>(::getpid()));
  ShimmedTill till(folder.path);
  Told told;
  for (std::uint64_t round = 0; round < scaled(200, 8); ++round) {
    CAPTURE(round);
    REQUIRE_MESSAGE(till.start(""), till.log());
    REQUIRE(till.missing(told) == "");
    std::thread seller([&] { till.sell(1'000'000, told); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random.below(1500)));  // chance is the point here
    ::kill(till.process().pid(), SIGKILL);
    seller.join();
    till.kill();
    till.lose_power(random);
  }
  REQUIRE_MESSAGE(till.start(""), till.log());
  CHECK(till.missing(told) == "");
  MESSAGE(told.receipts.size() << " receipts");
}

TEST_CASE(
    "each write and each flush of a real till fails in turn, those of LMDB too: it goes on or says why not, and no "
    "receipt is lost") {
  for (const std::string kind : {"write:%:28", "write:%:5", "flush:%:5"}) {
    const std::uint64_t step = scaled(1, 7);
    for (std::uint64_t n = 1; n < 80; n += step) {
      const std::string fault = std::string(kind).replace(kind.find('%'), 1, std::to_string(n));
      CAPTURE(fault);
      const test::Folder folder;
      ShimmedTill till(folder.path);
      Told told;
      if (till.start(fault)) {
        till.sell(20, told);
        std::this_thread::sleep_for(std::chrono::milliseconds(scaled(1200, 50)));  // a checkpoint
        till.sell(5, told);
      } else {
        CHECK(till.log().find("terminate") == std::string::npos);
      }
      for (const std::string& why : told.refusals) CHECK_FALSE(why.empty());
      till.kill();
      REQUIRE_MESSAGE(till.start(""), till.log());
      REQUIRE(till.missing(told) == "");
      Told more;
      till.sell(3, more);
      REQUIRE(more.receipts.size() == 3);
      till.kill();
    }
  }
}

TEST_CASE("memory runs out at a random moment: the till may end, and no receipt is lost") {
  Random random(3);
  const test::Folder folder;
  ShimmedTill till(folder.path);
  Told told;
  for (std::uint64_t round = 0; round < scaled(300, 10); ++round) {
    if (till.start("alloc:" + std::to_string(1 + random.below(60'000)))) till.sell(300, told);
    till.kill();
  }
  REQUIRE(till.start(""));
  CHECK(till.missing(told) == "");
  MESSAGE(told.receipts.size() << " receipts");
}
