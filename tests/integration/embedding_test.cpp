// The public Till, used as a till program uses it.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <asio/ip/tcp.hpp>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <future>
#include <map>
#include <semaphore>
#include <set>
#include <thread>
#include <tillsync/till.hpp>

#include "storage/base/pack.hpp"
#include "storage/disk/damage_check.hpp"
#include "storage/disk/data_folder.hpp"
#include "tests/integration/support.hpp"
#include "transport/base/settings.hpp"

using namespace tillsync;

namespace {

OpDraft sale(const std::string& key) {
  OpDraft draft{.kind = OpKind::sale, .key = key, .cashier = {}, .document = {}};
  draft.document.lines.push_back({.sku = "bread", .quantity = Quantity::units(1), .unit_price = 350, .name = {}});
  return draft;
}

std::unique_ptr<Till> alone(const test::Folder& folder) {
  auto till = Till::open({.folder = folder / "till", .branch = "main", .till = "till-1", .network = false});
  REQUIRE(till);
  return std::move(*till);
}

}  // namespace

TEST_CASE("a refund that is waited for does not overtake its sale, which was handed over just before") {
  const test::Folder folder;
  std::map<int, std::uint64_t> handed_over, waited_for;
  {
    auto till = Till::open({.folder = folder / "till", .branch = "main", .till = "till-1", .network = false});
    REQUIRE(till);
    for (int i = 0; i < 300; ++i) {
      (*till)->record(sale("sale " + std::to_string(i)), [&, i](const Result<Receipt>& receipt) {
        if (receipt) handed_over[i] = receipt->seq.value;
      });
      waited_for[i] = (*till)->record(sale("refund " + std::to_string(i))).value().seq.value;
    }
    for (int i = 300; i < 3'300; ++i) {  // more than fit into one flush
      (*till)->record(sale("sale " + std::to_string(i)), [&, i](const Result<Receipt>& receipt) {
        if (receipt) handed_over[i] = receipt->seq.value;
      });
    }
    CHECK((*till)->record(sale("the last")).value().seq.value == 3'601);
  }
  for (int i = 0; i < 300; ++i) CHECK(handed_over[i] + 1 == waited_for[i]);
  for (std::uint64_t i = 300; i < 3'300; ++i) CHECK(handed_over[static_cast<int>(i)] == i + 301);
}

TEST_CASE("nobody waits long for a crowd that does not come again") {
  const test::Folder folder;
  auto till = Till::open({.folder = folder / "till", .branch = "main", .till = "till-1", .network = false});
  REQUIRE(till);
  std::counting_semaphore<> receipts(0);
  std::uint64_t sold = 0;
  for (const int burst : {1, 40, 40, 3, 1, 40, 1, 2, 1}) {
    for (int i = 0; i < burst; ++i) {
      (*till)->record(sale("sale " + std::to_string(++sold)), [&](const Result<Receipt>& receipt) {
        if (receipt) receipts.release();
      });
    }
    for (int i = 0; i < burst; ++i) REQUIRE(receipts.try_acquire_for(std::chrono::seconds(20)));
  }
  CHECK((*till)->status().recorded == sold);
}

TEST_CASE("several threads record at once, blocking and with callbacks: every sale gets a number of its own") {
  const test::Folder folder;
  std::set<std::uint64_t> numbers;
  constexpr int kThreads = 8, kEach = 100;
  std::atomic<int> called_back = 0;
  {
    auto till = Till::open({.folder = folder / "till", .branch = "main", .till = "till-1", .network = false});
    REQUIRE(till);
    std::vector<std::future<std::vector<std::uint64_t>>> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.push_back(std::async(std::launch::async, [&, t] {
        std::vector<std::uint64_t> mine;
        for (int i = 0; i < kEach; ++i) {
          const std::string key = std::to_string(t) + "/" + std::to_string(i);
          if (i % 2 == 0) {
            mine.push_back((*till)->record(sale(key)).value().seq.value);
          } else {
            (*till)->record(sale(key), [&](Result<Receipt> receipt) { called_back += receipt ? 1 : 0; });
          }
        }
        return mine;
      }));
    }
    for (auto& thread : threads) {
      for (const std::uint64_t seq : thread.get()) CHECK(numbers.insert(seq).second);
    }
    CHECK((*till)->record(sale("last"))->seq.value == kThreads * kEach + 1);  // flushed with or after all before it
    CHECK((*till)->record(sale("0/0"))->seq.value <= kThreads * kEach);       // again: the first receipt
    CHECK((*till)->status().recorded == kThreads * kEach + 1);
    CHECK((*till)->stock("bread") == Quantity::units(-kThreads * kEach - 1));
    CHECK((*till)->where("0/0") == Level::own_disk);
    CHECK((*till)->wait("0/0", Level::cloud, std::chrono::milliseconds(50)).error().kind == ErrorKind::timed_out);
    CHECK((*till)->where("nothing").error().kind == ErrorKind::not_found);
    OpDraft other = sale("0/0");
    other.document.note = "something else";
    CHECK((*till)->record(other).error().kind == ErrorKind::duplicate_key);
    CHECK(Till::open({.folder = folder / "till"}).error().kind == ErrorKind::locked);
  }
  CHECK(called_back == kThreads * kEach / 2);
  auto again = Till::open({.folder = folder / "till", .network = false});
  REQUIRE(again);
  CHECK((*again)->status().recorded == 801);
}

TEST_CASE("a till that starts while somebody looks into its folder waits for them") {
  const test::Folder folder;
  auto reader = DataFolder::lock(folder / "till", true);
  REQUIRE(reader);
  std::thread leaves([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const DataFolder gone = std::move(*reader);
  });
  CHECK(Till::open({.folder = folder / "till", .branch = "main", .till = "till-1", .network = false}));
  leaves.join();
}

TEST_CASE("a check in a child process is waited for, or not, and may crash without harm") {
  const auto slow = [] { return ::poll(nullptr, 0, 300), Result<void>(); };
  auto check = DamageCheck::start(slow);
  REQUIRE(check);
  CHECK_FALSE((*check)->within(std::chrono::milliseconds(10)));
  CHECK((*check)->wait());
  CHECK(check_in_child([] { return std::abort(), Result<void>(); }).error().kind == ErrorKind::damaged);
  CHECK(check_in_child([]() -> Result<void> { return fail(ErrorKind::io, "no"); }).error().message == "no");
  auto forgotten = DamageCheck::start(slow);  // ended with who started it
  REQUIRE(forgotten);
}

TEST_CASE("a till that is killed while its database is checked leaves its folder free, and the check ends") {
  const test::Folder folder;
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // the check becomes this process's child
  const pid_t till = ::fork();
  if (till == 0) {
    auto locked = DataFolder::lock(folder / "till", true);
    auto check = DamageCheck::start([] {
      ::kill(::getppid(), SIGKILL);
      return ::poll(nullptr, 0, 20'000), Result<void>();
    });
    ::poll(nullptr, 0, 20'000);
    ::_exit(1);
  }
  REQUIRE(::waitpid(till, nullptr, 0) == till);
  CHECK(DataFolder::lock(folder / "till", false));
  int status = 0;
  REQUIRE(::waitpid(-1, &status, 0) > 0);
  CHECK(WIFSIGNALED(status));  // and not at the end of what it does
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

TEST_CASE("a till that crashed three times before its database was looked at whole waits for that at the next start") {
  const test::Folder folder;
  const std::string at = folder / "till", mark = at + "/running";
  const auto open = [&] { return Till::open({.folder = at, .branch = "main", .till = "till-1", .network = false}); };
  {
    auto till = open();
    REQUIRE(till);
    for (int i = 0; i < 50; ++i) REQUIRE((*till)->record(sale(std::to_string(i))));
    CHECK(read_file(mark) == std::string());
  }
  CHECK_FALSE(file_exists(mark));
  REQUIRE(replace_file(mark, "3"));
  REQUIRE(open());
  CHECK_FALSE(file_exists(mark));
  std::string bytes = read_file(at + "/db/data.mdb").value();
  const std::size_t sold = bytes.find("bread");  // in some value
  REQUIRE(sold != std::string::npos);
  for (std::size_t i = sold; i != std::string::npos; i = bytes.find("bread", i + 1)) bytes[i] = 'B';
  REQUIRE(replace_file(at + "/db/data.mdb", bytes));
  REQUIRE(replace_file(mark, "3"));
  const auto refused = open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::damaged);
  CHECK(refused.error().message.find("tillsync recover") != std::string::npos);
}

TEST_CASE("a forked child records nothing, and does not keep the folder when its parent lets it go") {
  const test::Folder folder;
  auto till = alone(folder);
  REQUIRE(till->record(sale("before")));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto refused = [](const auto& outcome) { return !outcome && outcome.error().kind == ErrorKind::refused; };
    bool good = refused(till->record(sale("of the child"))) && refused(till->where("before")) &&
                refused(till->wait("before", Level::own_disk, std::chrono::seconds(1))) &&
                refused(till->edit("product", "bread", {}, "edit of the child")) && !till->status().accepting &&
                !till->stock("bread") && !till->row("product", "bread");
    bool heard = false;
    till->record(sale("of the child"), [&](const Result<Receipt>& receipt) { heard = refused(receipt); });
    till.reset();
    const char verdict = good && heard ? '+' : '-';
    (void)!::write(ends[1], &verdict, 1);
    ::poll(nullptr, 0, 20'000);
    ::_exit(0);
  }
  char verdict = 0;
  REQUIRE(::read(ends[0], &verdict, 1) == 1);
  CHECK(verdict == '+');
  CHECK(till->record(sale("after")));
  till.reset();
  CHECK(alone(folder)->status().recorded == 2);  // the child lives
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]), ::close(ends[1]);
}

TEST_CASE("another process that has the folder is named") {
  const test::Folder folder;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t other = ::fork();
  if (other == 0) {
    const auto locked = DataFolder::lock(folder / "till", true);
    (void)!::write(ends[1], "+", 1);
    ::poll(nullptr, 0, 20'000);
    ::_exit(locked ? 0 : 1);
  }
  char ready = 0;
  REQUIRE(::read(ends[0], &ready, 1) == 1);
  const auto refused = Till::open({.folder = folder / "till", .branch = "main", .till = "till-1", .network = false});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("process " + std::to_string(other)) != std::string::npos);
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  ::close(ends[0]), ::close(ends[1]);
}

TEST_CASE("callbacks may throw, be empty, and call any function of their till") {
  const test::Folder folder;
  std::promise<std::uint64_t> recorded;
  auto till = alone(folder);
  till->record(sale("nobody listens"), {});
  till->record(sale("throws"), [](const Result<Receipt>&) { throw std::runtime_error("the program's own"); });
  till->record(sale("first"), [&](const Result<Receipt>&) {
    CHECK(till->record(sale("second")));
    CHECK(till->wait("second", Level::own_disk, std::chrono::seconds(20)));
    recorded.set_value(till->status().recorded);
  });
  CHECK(recorded.get_future().get() == 4);
  CHECK(till->failed_callbacks() == 1);
}

TEST_CASE("a till may be ended in its own callback, and those that are due are still called") {
  const test::Folder folder;
  auto till = alone(folder);
  std::promise<void> started, go_on, last;
  till->record(sale("first"), [&](const Result<Receipt>&) {
    started.set_value();
    go_on.get_future().wait();
    till.reset();
  });
  started.get_future().wait();
  till->record(sale("second"), [&](const Result<Receipt>& receipt) {
    CHECK(receipt);
    last.set_value();
  });
  REQUIRE(till->record(sale("third")));
  go_on.set_value();
  last.get_future().wait();
  CHECK(alone(folder)->status().recorded == 3);
}

TEST_CASE("a log callback that throws ends nothing, and a callback that takes its time delays no sale") {
  const test::Folder folder;
  const auto log = [](const std::string&, const std::string&) { throw std::runtime_error("the program's own"); };
  auto till = Till::open({.folder = folder / "till", .branch = "main", .till = "till-1", .network = false, .log = log});
  REQUIRE(till);
  std::promise<void> sold;
  (*till)->record(sale("slow"), [&](const Result<Receipt>&) { sold.get_future().wait(); });
  for (int i = 0; i < 20; ++i) CHECK((*till)->record(sale(std::to_string(i))));
  CHECK((*till)->status().recorded == 21);
  sold.set_value();
}

TEST_CASE("whoever waits for a level hears that the till is closed, and of a key that nobody recorded at once") {
  const test::Folder folder;
  auto till = alone(folder);
  CHECK(till->wait("a typing mistake", Level::cloud, std::chrono::hours(1)).error().kind == ErrorKind::not_found);
  std::promise<void> waits;
  till->record(sale("one"), {});
  auto waiting = std::async(std::launch::async, [&, at = till.get()] {
    waits.set_value();
    return at->wait("one", Level::cloud, std::chrono::hours(1));
  });
  waits.get_future().wait();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  till.reset();
  CHECK(waiting.get().error().kind == ErrorKind::closed);
}

TEST_CASE("a till whose port is taken sells, and says where it listens") {
  const test::Folder folder;
  const std::string at = folder / "till";
  alone(folder).reset();
  asio::io_context io;
  asio::ip::tcp::acceptor taken(io, {asio::ip::make_address("127.0.0.1"), 0});
  {
    auto files = DataFolder::lock(at, false);
    REQUIRE(files);
    auto settings = load_settings(*files).value();
    settings.listen = {"127.0.0.1", taken.local_endpoint().port()};
    settings.mdns = false;
    REQUIRE(replace_file(files->file("till.toml"), settings.toml()));
  }
  std::string said;
  auto till = Till::open({.folder = at, .log = [&](const std::string&, const std::string& text) { said += text; }});
  REQUIRE(till);
  CHECK((*till)->record(sale("one")));
  till->reset();
  CHECK(said.find("instead of " + std::to_string(taken.local_endpoint().port())) != std::string::npos);
}

TEST_CASE("a till with nobody to say goodbye to closes without waiting") {
  const test::Folder folder;
  auto fastest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {
    auto till = alone(folder);
    REQUIRE(till->record(sale(std::to_string(i))));
    const auto begun = std::chrono::steady_clock::now();
    till.reset();
    fastest = std::min(fastest, std::chrono::steady_clock::now() - begun);
  }
  CHECK(fastest < std::chrono::milliseconds(400));
}

TEST_CASE("a till whose folder was deleted says so, and hands out no receipts") {
  const test::Folder folder;
  auto till = alone(folder);
  REQUIRE(till->record(sale("one")));
  std::filesystem::remove_all(folder / "till");
  const auto refused = till->record(sale("two"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("deleted") != std::string::npos);
  CHECK_FALSE(till->status().accepting);
}

TEST_CASE("the same edit under the same key is recorded once, another under it is refused") {
  const test::Folder folder;
  auto till = alone(folder);
  const auto price = [&](int is) { return till->edit("product", "bread", {{"price", pack(std::int64_t{is})}}, "edit 1", "anna"); };
  const auto first = price(350);
  REQUIRE(first);
  const auto again = price(350);
  REQUIRE(again);
  CHECK(again->seq == first->seq);
  CHECK(price(400).error().kind == ErrorKind::duplicate_key);
  CHECK(till->status().recorded == 1);
}
