// Callers who share flushes: each is answered, with its own answer, whoever flushes and whoever answers.
#include <doctest/doctest.h>

#include <thread>

#include "transport/till/group_commit.hpp"

using namespace tillsync;

namespace {

ValidDraft draft(std::uint64_t number) {
  OpDraft draft{.kind = OpKind::sale, .key = std::to_string(number), .cashier = {}, .document = {}};
  draft.document.lines.push_back({"bread", Quantity::units(1), 350, {}});
  return ValidDraft::of(draft).value();
}

Receipt receipt_for(const GroupCommit::Caller& caller) {
  return {Incarnation{1}, Seq{std::stoull(caller.draft.op().key)}, {}, {}};
}

}  // namespace

TEST_CASE("many callers at once: one writes at a time, for several, and each hears of its own sale") {
  constexpr std::uint64_t kThreads = 12, kEach = 200;
  std::atomic<int> writing = 0, flushes = 0;
  std::vector<std::jthread> others;  // who answer later
  std::mutex mutex;
  GroupCommit group([&](const std::vector<GroupCommit::Caller*>& callers) {
    CHECK(++writing == 1);
    const int flush = ++flushes;
    GroupCommit::Answers now, later;
    for (GroupCommit::Caller* each : callers) (flush % 3 == 0 ? later : now).emplace_back(each, receipt_for(*each));
    --writing;
    GroupCommit::answer(std::move(now));
    const std::lock_guard lock(mutex);
    if (!later.empty()) others.emplace_back([later] { GroupCommit::answer(later); });
  });
  std::atomic<std::uint64_t> right = 0;
  {
    std::vector<std::jthread> callers;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      callers.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < kEach; ++i) {
          const auto receipt = group.record(draft(t * kEach + i));
          right += receipt && receipt->seq == Seq{t * kEach + i} ? 1U : 0U;
        }
      });
    }
  }
  others.clear();
  CHECK(right == kThreads * kEach);
  CHECK(flushes < static_cast<int>(kThreads * kEach));
  MESSAGE(flushes.load() << " flushes for " << kThreads * kEach << " sales");
}

TEST_CASE("some of a crowd do not come again: the others go on without them") {
  GroupCommit group([&](const std::vector<GroupCommit::Caller*>& callers) {
    GroupCommit::Answers answers;
    for (GroupCommit::Caller* each : callers) answers.emplace_back(each, receipt_for(*each));
    GroupCommit::answer(std::move(answers));
  });
  std::atomic<std::uint64_t> recorded = 0;
  {
    std::vector<std::jthread> callers;
    for (std::uint64_t t = 0; t < 12; ++t) {
      callers.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < 20 * (t + 1); ++i) recorded += group.record(draft(t * 1000 + i)) ? 1U : 0U;
      });
    }
  }
  CHECK(recorded == 20 * 12 * 13 / 2);
}

TEST_CASE("who is woken while another thread still has its sale goes on for one who came later") {
  const auto until = [](const std::function<bool()>& happened) {
    while (!happened()) std::this_thread::yield();
  };
  for (int round = 0; round < 20; ++round) {
    std::atomic<std::uint64_t> writing = 0, kept = 0, coming = 0;
    std::vector<GroupCommit::Caller*> others;  // two who come together, and whose sales another thread has
    const auto until_asleep = [&](std::uint64_t callers) {
      until([&] { return coming == callers; });
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();  // mostly, they are by then
    };
    GroupCommit group([&](const std::vector<GroupCommit::Caller*>& callers) {
      const std::uint64_t number = receipt_for(*callers.front()).seq.value;
      if (number == 2 || number == 3) {
        others.insert(others.end(), callers.begin(), callers.end());
        kept += callers.size();
        return;
      }
      writing = number;
      if (number == 1) until_asleep(3);
      if (number == 4) until_asleep(5);
      GroupCommit::answer({{callers.front(), receipt_for(*callers.front())}});
    });
    const auto sells = [&](std::uint64_t number) {
      return std::jthread([&, number] {
        ++coming;
        CHECK(group.record(draft(number))->seq == Seq{number});
      });
    };
    const auto first = sells(1);
    until([&] { return writing == 1; });
    const auto second = sells(2), third = sells(3);
    until([&] { return kept == 2; });
    auto fourth = sells(4);
    until([&] { return writing == 4; });
    auto fifth = sells(5);
    fifth.join(), fourth.join();
    for (GroupCommit::Caller* each : others) GroupCommit::answer({{each, receipt_for(*each)}});
  }
}
