#include "transport/cloud/cloud_shell.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <future>

#include "transport/base/caught.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

CloudShell::CloudShell(std::unique_ptr<CloudStore> store, CloudCore core, std::size_t lanes, std::size_t threads,
                       Log log)
    : log_(std::move(log)), store_(std::move(store)), core_(std::move(core)), witnesses_(lanes), database_(threads) {}

Result<std::uint16_t> CloudShell::start(LinkOwner& owner, const SecretKey& key, const std::optional<Address>& listen,
                                        Hear hear) {
  links_ = std::make_unique<Links>(io_, noise::KeyPair::of(key.x25519()), owner, log_,
                                   Links::kMaxConnections / 2);  // a shop, or many of them, may come from one address
  std::uint16_t port = 0;
  if (listen) {
    auto bound = links_->listen(*listen);
    if (!bound) return bound;
    port = *bound;
  }
  store_->listen([this, hear = std::move(hear)](const std::optional<CloudNews>& news) {
    asio::post(io_, [this, hear, news] {
      if (!stopping_) hear(news);
    });
  });
  thread_ = std::thread([this] {
    const auto guard = asio::make_work_guard(io_);
    while (!stopping_ && io_.run_one() > 0) {
    }
    io_.run_for(milliseconds(500));
  });
  return port;
}

void CloudShell::stop() {
  if (thread_.joinable()) {
    asio::post(io_, [this] {
      stopping_ = true;
      links_->close();
      wake_.cancel();
      replies_.clear();
    });
    thread_.join();
  }
  reading_.join();
  database_.join();
  store_.reset();  // its listener posts to the loop
}

void CloudShell::on_database(std::function<Result<void>(CloudStore&)> work, std::function<void(Result<void>)> done) {
  asio::post(database_, [this, work = std::move(work), done = std::move(done)] {
    auto outcome = caught([&] { return work(*store_); });
    asio::post(io_, [outcome = std::move(outcome), done] { done(outcome); });
  });
}

Result<void> CloudShell::with_database(const std::function<Result<void>(CloudStore&)>& work) {
  std::promise<Result<void>> done;
  asio::post(database_, [&] { done.set_value(caught([&] { return work(*store_); })); });
  return done.get_future().get();
}

void CloudShell::request(const BranchKey& branch, CloudRequest request, PendingReplies::Done done) {
  const ReplyTo to = replies_.add(std::move(done));
  carry_out(core_.on_request(read_clock(), to, branch, std::move(request)));
}

void CloudShell::carry_out(CloudActions actions) {
  for (const Notice& notice : actions.notices) log_(notice);
  for (const Actions::Send& send : actions.sends) links_->send(send.to, send.message);
  for (PeerId peer : actions.hang_up) links_->hang_up(peer);
  for (auto& reading : actions.to_read) read(std::move(reading));
  for (CloudActions::Job& job : actions.jobs) run(std::move(job));
  for (CloudReply& reply : actions.replies) replies_.answer(std::move(reply));
  arm();
}

void CloudShell::read(std::shared_ptr<const PushReading> reading) {
  asio::post(reading_, [this, reading = std::move(reading)] {
    (void)reading->read();
    ++reads_;
    reads_.notify_all();
  });
}

void CloudShell::run(CloudActions::Job job) {
  asio::post(database_, [this, lane = job.lane, job = std::move(job.job)] {
    for (auto read = reads_.load(); read < job->reads; read = reads_.load()) reads_.wait(read);
    auto outcome = run_job(*store_, witnesses_[lane], *job, [] { return read_clock().mono; });
    asio::post(io_, [this, lane, outcome = std::move(outcome)]() mutable {
      if (!stopping_) carry_out(core_.on_done(read_clock(), lane, std::move(outcome)));
    });
  });
}

void CloudShell::arm() {
  const auto at = core_.next_wake();
  if (!at || stopping_) return;
  wake_.expires_after(std::max<Duration>(*at - read_clock().mono, Duration::zero()));
  wake_.async_wait([this](asio::error_code error) {
    if (!error && !stopping_) carry_out(core_.on_wake(read_clock()));
  });
}

}  // namespace tillsync
