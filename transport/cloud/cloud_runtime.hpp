// A cloud in this process, as programs and the control socket see it: opened from its folder, running until it is
// destroyed. Any number of branches of any number of tenants whose rosters it was given. Behind it stand CloudFiles
// (folder, key, record), CloudShell (threads), RosterDesk and PeopleDesk.
#pragma once

#include <asio/post.hpp>
#include <functional>
#include <future>
#include <memory>

#include "transport/cloud/cloud_files.hpp"
#include "transport/cloud/cloud_shell.hpp"
#include "transport/cloud/people_desk.hpp"
#include "transport/cloud/roster_desk.hpp"

namespace tillsync {

class CloudRuntime final : private LinkOwner {
 public:
  using Options = CloudOptions;
  static Result<std::unique_ptr<CloudRuntime>> open(Options options, Log log);
  ~CloudRuntime() override;

  // From any thread but the core's: runs on the core's, and waits for it.
  template <class F>
  auto ask(F f) -> decltype(f()) {
    std::promise<decltype(f())> answer;
    asio::post(io(), [&] {
      try {
        answer.set_value(f());
      } catch (...) {  // the asker's, not the core's
        answer.set_exception(std::current_exception());
      }
    });
    return answer.get_future().get();
  }
  // From any thread. `work` runs on a thread of the database's, `done` on the core's.
  void on_database(std::function<Result<void>(CloudStore&)> work, std::function<void(Result<void>)> done) {
    shell_.on_database(std::move(work), std::move(done));
  }
  Result<void> with_database(const std::function<Result<void>(CloudStore&)>& work) {  // waits for it
    return shell_.with_database(work);
  }

  // On the core's thread only, as are the `done`. Each of these is a job of the core's, and is tried again while the
  // database is away. Errors: timed_out, when it is away for long; busy.
  CloudCore& core() { return shell_.core(); }
  // From its operator: also of a tenant that is new here. `done` once it is stored. Errors: refused.
  void take_roster(const Roster& roster, std::function<void(Result<void>)> done);
  // A resolution by somebody at this machine, signed with the cloud's key. Errors: not_found, refused, invalid.
  void settle(const BranchKey& branch, OpDraft draft, std::function<void(Result<void>)> done);
  // Rows of a tenant: how many changed. Errors: those of import_rows (engine/cloud/import.hpp).
  void import(const std::string& tenant, ImportBatch batch, std::function<void(Result<std::uint64_t>)> done);

  asio::io_context& io() { return shell_.io(); }
  std::uint16_t port() const { return port_; }
  const DataFolder& folder() const { return folder_; }
  const PublicKey& key() const { return key_.public_key(); }

 private:
  CloudRuntime(CloudFiles files, const Options& options, Log log);
  void hear(const std::optional<CloudNews>& news);

  Hello hello_to(const TillId* peer) override;
  Result<PeerInfo> admit(const noise::Key& key, const Hello& hello) override;
  void on_up(PeerId id, const PeerInfo& peer) override;
  void on_message(PeerId id, Message message) override;
  void on_unreadable(PeerId id) override;
  void on_down(PeerId id) override;

  DataFolder folder_;
  SecretKey key_;
  std::uint64_t run_ = 0;
  std::uint16_t port_ = 0;
  CloudShell shell_;
  RosterDesk rosters_;
  PeopleDesk people_;
};

}  // namespace tillsync
