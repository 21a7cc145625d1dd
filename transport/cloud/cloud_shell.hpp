// Carries out what a CloudCore asks for: connections and the core on one thread, pushes read on another, the database
// on others. It decides nothing.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "engine/cloud/cloud_core.hpp"
#include "transport/cloud/pending_replies.hpp"
#include "transport/net/links.hpp"

namespace tillsync {

class CloudShell {
 public:
  // `lanes`: jobs at once. `threads`: of the database.
  CloudShell(std::unique_ptr<CloudStore> store, CloudCore core, std::size_t lanes, std::size_t threads, Log log);
  ~CloudShell() { stop(); }

  // The port that it listens on; none without `listen`. `hear`: what other processes changed, on the core's thread.
  using Hear = std::function<void(const std::optional<CloudNews>&)>;
  Result<std::uint16_t> start(LinkOwner& owner, const SecretKey& key, const std::optional<Address>& listen, Hear hear);
  void stop();  // returns when nothing runs any more

  // From any thread. `work` runs on a thread of the database's, `done` on the core's.
  void on_database(std::function<Result<void>(CloudStore&)> work, std::function<void(Result<void>)> done);
  Result<void> with_database(const std::function<Result<void>(CloudStore&)>& work);  // waits for it
  asio::io_context& io() { return io_; }

  // On the core's thread only.
  CloudCore& core() { return core_; }
  void carry_out(CloudActions actions);
  void request(const BranchKey& branch, CloudRequest request, PendingReplies::Done done);
  void send(PeerId to, const Message& message) { links_->send(to, message); }
  void log(const Notice& notice) const { log_(notice); }

 private:
  void read(std::shared_ptr<const PushReading> reading);
  void run(CloudActions::Job job);
  void arm();

  Log log_;
  std::unique_ptr<CloudStore> store_;
  CloudCore core_;
  std::vector<Witness> witnesses_;  // one a lane: what its jobs have seen
  asio::io_context io_{1};
  asio::steady_timer wake_{io_};
  PendingReplies replies_{io_};
  std::atomic<std::uint64_t> reads_ = 0;  // of the pushes that were to be read
  asio::thread_pool reading_{1};
  asio::thread_pool database_;
  std::unique_ptr<Links> links_;
  std::thread thread_;
  bool stopping_ = false;
};

}  // namespace tillsync
