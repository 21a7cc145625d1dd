// Drives a CloudCore: sockets on one thread, the database on another. Any number of branches of any number of tenants
// whose rosters it was given.
#pragma once

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "engine/cloud/cloud_core.hpp"
#include "storage/disk/data_folder.hpp"
#include "transport/net/links.hpp"

namespace tillsync {

class CloudRuntime final : private LinkOwner {
 public:
  struct Options {
    std::string folder;
    std::string store;  // postgresql://...; empty: as before, at first LMDB in the folder
    TillId name{"cloud"};
    Address listen{"0.0.0.0", 7800};
    bool network = true;
    bool create = true;
    RateLimits limits{};
    std::size_t lanes() const { return store.empty() ? 1 : 2; }  // jobs at once; LMDB has one writer
  };
  static Result<std::unique_ptr<CloudRuntime>> open(Options options, Log log);
  ~CloudRuntime() override;

  template <class F>
  auto ask(F f) -> decltype(f()) {
    std::promise<decltype(f())> answer;
    asio::post(io_, [&] {
      try {
        answer.set_value(f());
      } catch (...) {  // the asker's, not the core's
        answer.set_exception(std::current_exception());
      }
    });
    return answer.get_future().get();
  }
  // Runs on a thread of the database's; `done` on the core's.
  void on_database(std::function<Result<void>(CloudStore&)> work, std::function<void(Result<void>)> done);

  // The same from any thread, which waits for it.
  Result<void> with_database(std::function<Result<void>(CloudStore&)> work);

  // On the core thread only.
  CloudCore& core() { return core_; }
  // From its operator: also of a tenant that is new here. `done` once it is stored.
  void take_roster(const Roster& roster, std::function<void(Result<void>)> done);
  void rows_changed(const ChangedFeeds& feeds);
  // Conflicts of branches, and their tenants' about shared rows, as JSON; `done` is called on the core thread.
  void conflicts(std::vector<BranchKey> shops, std::function<void(Result<nlohmann::json>)> done);
  // A resolution by somebody at this machine, signed with the cloud's key. Errors: not_found, refused, invalid.
  void settle(const BranchKey& shop, OpDraft draft, std::function<void(Result<void>)> done);

  asio::io_context& io() { return io_; }
  std::uint16_t port() const { return port_; }
  const DataFolder& folder() const { return folder_; }
  const PublicKey& key() const { return key_.public_key(); }

 private:
  CloudRuntime(DataFolder folder, const Options& options, SecretKey key, Policies policies, Log log);
  Result<void> open_store(const Options& options);
  Result<void> load_rosters();
  void take_stored_rosters(const std::string& tenant);  // all of them, without one
  void hear(const std::optional<CloudNews>& news);
  Result<void> check_names_me(const Roster& roster) const;
  TillId name_in(const Roster& roster) const;  // what that branch calls this cloud
  void keep_roster(const Roster& roster, std::function<void(Result<void>)> done);
  Result<void> start(const Options& options);

  Hello hello_to(const TillId* peer) override;
  Result<PeerInfo> admit(const noise::Key& key, const Hello& hello) override;
  void on_up(PeerId id, const PeerInfo& peer) override;
  void on_message(PeerId id, Message message) override;
  void on_unreadable(PeerId id) override;
  void on_down(PeerId id) override;
  void carry_out(CloudActions actions);
  void answer_person(PeerId id, Message message);
  std::vector<BranchKey> shops_of_person(PeerId id) const;

  DataFolder folder_;
  const TillId name_;  // its operator's; a roster may name it otherwise (name_in)
  SecretKey key_;
  Log log_;
  std::uint64_t run_ = 0;
  std::uint16_t port_ = 0;
  std::unique_ptr<CloudStore> store_;
  std::shared_ptr<const Policies> policies_;
  CloudCore core_;
  std::vector<Witness> witnesses_;  // one a lane: what its jobs have seen

  asio::io_context io_{1};
  asio::steady_timer wake_{io_};
  std::atomic<std::uint64_t> reads_ = 0;  // of the pushes that were to be read
  asio::thread_pool reading_{1};
  std::unique_ptr<asio::thread_pool> database_;
  std::unique_ptr<Links> links_;
  std::thread thread_;
  bool stopping_ = false;
  std::map<PeerId, std::pair<BranchKey, Member>> people_;  // connected ones: they ask, and support settles
};

}  // namespace tillsync
