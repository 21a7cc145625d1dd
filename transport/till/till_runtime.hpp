// A till that runs: its core, with disks, sockets, timers and threads around it. Puts the parts together, each of which
// has one thing to do, and stands before them for the programs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "transport/till/core_loop.hpp"
#include "transport/till/housekeeping.hpp"
#include "transport/till/peer_shell.hpp"
#include "transport/till/till_disks.hpp"
#include "transport/till/till_opener.hpp"
#include "transport/till/till_recorder.hpp"
#include "transport/till/waiting_callers.hpp"

namespace tillsync {

class TillRuntime {
 public:
  using Options = TillOptions;
  using Held = CoreLoop::Held;
  static Result<std::unique_ptr<TillRuntime>> open(const Options& options, Log log);
  ~TillRuntime();  // hands the lease over, and ends within two seconds
  TillRuntime(const TillRuntime&) = delete;
  TillRuntime& operator=(const TillRuntime&) = delete;

  // From any thread but the core's; returns when it is durable.
  Result<Receipt> record(const OpDraft& draft) { return recorder_.record(draft); }
  // From any thread; `done` is called on the core's.
  void record(const OpDraft& draft, TillRecorder::Done done) { recorder_.record(draft, std::move(done)); }
  void wait(std::string key, Level level, Duration limit, std::function<void(Result<Level>)> done) {
    replies_.wait(std::move(key), level, limit, std::move(done));
  }
  template <class F>
  void post(F work) {
    loop_.post(std::move(work));
  }
  // Runs on the core's thread and waits for the answer; not from the core's thread itself.
  template <class F>
  auto ask(F f) -> decltype(f()) {
    return loop_.ask(std::move(f));
  }

  // By whoever holds the core.
  std::recursive_mutex& core() { return loop_.lock(); }
  TillCore& node() { return loop_.core(); }
  Status status();
  void step_down(std::optional<TillId> successor);
  void take_roster(const Roster& roster);
  void command(const std::string& setting, Bytes value, std::function<void(Result<void>)> done) {
    replies_.command(setting, std::move(value), std::move(done));
  }

  asio::io_context& io() { return loop_.io(); }
  std::uint16_t port() const { return peers_.port(); }
  const Settings& settings() const { return settings_; }
  const DataFolder& folder() const { return folder_; }
  TillStore& store() { return disks_.store(); }
  const FlushTimes& flush_times() const { return disks_.flush_times(); }  // from any thread
  Result<void> verify_database();                                         // blocks

 private:
  TillRuntime(OpenedTill opened, const Log& log);

  DataFolder folder_;
  Settings settings_;
  TillDisks disks_;
  CoreLoop loop_;
  TillRecorder recorder_;
  PeerShell peers_;
  WaitingCallers replies_;
  Housekeeping house_;
};

}  // namespace tillsync
