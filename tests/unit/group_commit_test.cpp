// Callers who share flushes: each is answered, with its own answer, whoever flushes and whoever answers.
#include <doctest/doctest.h>

#include <thread>

#include "transport/group_commit.hpp"

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
