// The way of a sale. Callers that wait for it borrow the core, flush in their own thread, and leave the rest to the
// core's (docs/decisions/0025); those that do not wait leave all of it to the core's, unless one that waits takes
// theirs along, so that it overtakes none.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "transport/till/core_loop.hpp"
#include "transport/till/group_commit.hpp"

namespace tillsync {

class TillRecorder final : public ActionHandler {
 public:
  using Done = std::function<void(Result<Receipt>)>;

  TillRecorder(CoreLoop& loop, TillDisks& disks) : loop_(loop), disks_(disks) {}
  ~TillRecorder() override;  // those who wait in record() have left it

  // From any thread but the core's; returns when it is durable. The flush is made in the caller's thread.
  Result<Receipt> record(const OpDraft& draft);
  // From any thread; `done` is called on the core's thread. Those that come together share a flush.
  void record(const OpDraft& draft, Done done);

  // On the core's thread: numbers what was handed over so far, instead of a moment later.
  void record_handed_over();

  void act(Actions& actions) override;
  void on_closing() override { hand_over_.cancel(); }

 private:
  using Drafts = TillCore::Drafts;
  void serve(const std::vector<GroupCommit::Caller*>& callers);
  void record_soon();
  Drafts take_handed_over();  // on any thread that holds the core
  void append(std::vector<Bytes> batch);
  void answer_waiting(Actions& actions);
  void call_back(Actions& actions);  // on the core's thread

  CoreLoop& loop_;
  TillDisks& disks_;
  GroupCommit group_{[this](const std::vector<GroupCommit::Caller*>& callers) { serve(callers); }};
  std::unordered_map<std::uint64_t, GroupCommit::Caller*> waiting_;  // for a flush that is under way
  std::atomic<int> inside_ = 0;                                      // in the record() that waits
  std::unordered_map<std::uint64_t, Done> receipts_;
  std::mutex handed_over_mutex_;  // whoever holds the core may take it, never the other way round
  std::vector<std::pair<ValidDraft, Done>> handed_over_;  // and not yet numbered
  BatchPredictor handing_over_;
  asio::steady_timer hand_over_{loop_.io()};
};

}  // namespace tillsync
