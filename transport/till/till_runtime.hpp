// Drives a TillCore: sockets, clocks, two disk lanes and mDNS on one side, on_* and Actions on the other. One thread
// runs the io_context and carries out what the core says; the journal and the database each have a thread, so that a
// checkpoint never delays a sale. Who records and waits borrows the core and flushes by itself (docs/decisions/0025).
#pragma once

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>

#include "engine/till/till_core.hpp"
#include "storage/disk/damage_check.hpp"
#include "transport/base/settings.hpp"
#include "transport/files/till_files.hpp"
#include "transport/net/dialer.hpp"
#include "transport/net/discovery/discovery.hpp"
#include "transport/till/flush_times.hpp"
#include "transport/till/group_commit.hpp"

namespace tillsync {

class TillRuntime final : private LinkOwner {
 public:
  struct Options {
    std::string folder, branch, till;
    bool network = true;
    bool create = true;
    std::optional<Address> listen;  // instead of till.toml's
  };
  static Result<std::unique_ptr<TillRuntime>> open(Options options, Log log);
  ~TillRuntime() override;  // hands the lease over, and ends within two seconds

  // From any thread but the core's; returns when it is durable. The flush is made in the caller's thread.
  Result<Receipt> record(const OpDraft& draft);
  // From any thread; `done` is called on the core thread. Those that come together share a flush.
  void record(const OpDraft& draft, std::function<void(Result<Receipt>)> done);
  void wait(std::string key, Level level, Duration limit, std::function<void(Result<Level>)> done);
  template <class F>
  void post(F work) {
    asio::post(io_, [this, work = std::move(work)]() mutable {
      const Held held(core_);
      work();
    });
  }

  // Runs on the core thread and waits for the answer; not from the core thread itself.
  template <class F>
  auto ask(F f) -> decltype(f()) {
    std::promise<decltype(f())> answer;
    post([&] {
      try {
        answer.set_value(f());
      } catch (...) {  // the asker's, not the core's
        answer.set_exception(std::current_exception());
      }
    });
    return answer.get_future().get();
  }

  // Whoever touches the core holds it: the core thread, and callers of record() for the moment that they need it.
  using Held = std::lock_guard<std::recursive_mutex>;
  std::recursive_mutex& core() { return core_; }

  // On the core thread only, holding the core.
  TillCore& node() { return *node_; }
  Status status() const;
  void step_down(std::optional<TillId> successor);
  void take_roster(const Roster& roster);
  void command(const std::string& setting, Bytes value, std::function<void(Result<void>)> done);

  asio::io_context& io() { return io_; }
  std::uint16_t port() const { return port_; }
  const Settings& settings() const { return settings_; }
  const DataFolder& folder() const { return folder_; }
  TillStore& store() { return files_->store(); }
  const FlushTimes& flush_times() const { return flush_times_; }  // from any thread
  Result<void> verify_database();                                 // on the database lane; blocks

 private:
  TillRuntime(DataFolder folder, Settings settings, SecretKey key, Log log);
  Result<void> open_disks(Recovered& recovered);
  Result<void> start(const Options& options);
  void connect_peers();
  void run();

  Hello hello_to(const TillId* peer) override;
  Result<PeerInfo> admit(const noise::Key& key, const Hello& hello) override;
  void on_up(PeerId id, const PeerInfo& peer) override;
  void on_message(PeerId id, Message message) override;
  void on_unreadable(PeerId id) override;
  void on_down(PeerId id) override;

  void carry_out(Actions actions);  // on the core thread
  void enqueue(Actions actions);    // from a caller's: the core thread carries it out, in order
  void drain();
  void perform(Actions actions);
  using Drafts = TillCore::Drafts;
  void serve(const std::vector<GroupCommit::Caller*>& callers);
  void record_handed_over();
  void record_soon();
  Drafts take_handed_over();  // on any thread that holds the core
  void answer_callers(Actions& actions);
  void call_back(Actions& actions);  // on the core thread
  void refuse(const std::vector<GroupCommit::Caller*>& callers);
  Result<JournalPosition> flush(const std::vector<Bytes>& batch);
  void look_after_check();
  void wait_for_the_next_check();  // at the next start
  void append(std::vector<Bytes> batch);
  void commit(std::shared_ptr<const StoreBatch> batch);
  void arm();
  void maintain();
  void look_after_fitness();
  void answer_manager(PeerId id, const Question& question);
  void remember(const PeerInfo& peer);
  std::optional<noise::Key> key_of(const TillId& name) const;
  bool wanted(const TillId& name) const;

  DataFolder folder_;
  Settings settings_;
  SecretKey key_;
  Log log_;
  std::uint64_t run_ = 0;
  std::uint16_t port_ = 0;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<TillFiles> files_;
  FlushTimes flush_times_;
  std::unique_ptr<TillCore> node_;

  asio::io_context io_{1};
  asio::steady_timer wake_{io_};
  asio::steady_timer hand_over_{io_};
  asio::steady_timer house_{io_};
  asio::steady_timer fitness_{io_};
  asio::steady_timer check_again_{io_};
  asio::thread_pool journal_lane_{1};
  asio::thread_pool database_lane_{1};
  std::unique_ptr<Links> links_;
  std::unique_ptr<Dialer> dialer_;
  std::unique_ptr<Discovery> discovery_;
  std::thread thread_;
  bool stopping_ = false;

  mutable std::recursive_mutex core_;
  Instant armed_for_;         // when the core's thread wakes by itself
  std::deque<Actions> owed_;  // in the order of the core's words
  std::mutex journal_mutex_;
  GroupCommit callers_{[this](const std::vector<GroupCommit::Caller*>& callers) { serve(callers); }};
  std::unordered_map<std::uint64_t, GroupCommit::Caller*> waiting_callers_;
  std::mutex handed_over_mutex_;  // whoever holds the core may take it, never the other way round
  std::vector<std::pair<ValidDraft, std::function<void(Result<Receipt>)>>> handed_over_;  // and not yet numbered
  BatchPredictor handing_over_;
  std::unique_ptr<DamageCheck> check_;  // of the database, after a crash, when it takes long
  std::atomic<bool> database_damaged_ = false;

  std::uint64_t next_reply_ = 1;
  std::unordered_map<std::uint64_t, std::function<void(Result<Receipt>)>> receipts_;
  std::unordered_map<std::uint64_t, std::function<void(Result<Level>)>> levels_;
  std::unordered_map<std::uint64_t, std::function<void(Result<void>)>> commands_;
  std::set<PeerId> managers_;  // connected ones: they may ask, and the core never hears of them
  std::map<TillId, Address> remembered_;
  LeaseView announced_;
};

}  // namespace tillsync
