#include "transport/cloud/cloud_runtime.hpp"

#include <sodium.h>

#include <asio/executor_work_guard.hpp>

#include "transport/base/caught.hpp"
#include "transport/base/clock.hpp"
#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_settings.hpp"

namespace tillsync {

namespace {

// A database that is away when the cloud starts comes back, like one that goes while it runs.
Result<std::unique_ptr<CloudStore>> await_postgres(const std::string& url, std::uint64_t generation, const Log& log) {
  for (Duration pause = JobScheduler::kFirstPause;;
       pause = std::min<Duration>(pause * 2, JobScheduler::kLongestPause)) {
    auto store = open_postgres_cloud(url, generation);
    if (store || store.error().kind != ErrorKind::io) return store;
    if (pause == JobScheduler::kFirstPause) log({Notice::Weight::error, store.error().for_log() + "; trying again"});
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

CloudRuntime::CloudRuntime(DataFolder folder, const Options& options, SecretKey key, Policies policies, Log log)
    : folder_(std::move(folder)),
      name_(options.name),
      key_(key),
      log_(std::move(log)),
      policies_(std::make_shared<const Policies>(policies)),
      core_(key, options.lanes(), options.limits, std::move(policies)),
      witnesses_(options.lanes()),
      database_(std::make_unique<asio::thread_pool>(options.store.empty() ? 1 : options.lanes() + 1)) {
  randombytes_buf(&run_, sizeof run_);
}

Result<std::unique_ptr<CloudRuntime>> CloudRuntime::open(Options options, Log log) {
  if (sodium_init() < 0) return fail(ErrorKind::io, "libsodium can't start: install it anew");
  auto folder = DataFolder::lock(options.folder, options.create);
  if (!folder) return tl::unexpected(folder.error());
  auto key = load_identity(*folder, options.create);
  if (!key) return tl::unexpected(key.error());
  auto store = cloud_store(*folder, options.store);
  if (!store) return tl::unexpected(store.error());
  options.store = std::move(*store);
  auto policies = load_policies(*folder);
  if (!policies) return tl::unexpected(policies.error());
  std::unique_ptr<CloudRuntime> runtime(
      new CloudRuntime(std::move(*folder), options, *key, std::move(*policies), std::move(log)));
  if (auto opened = runtime->open_store(options); !opened) return tl::unexpected(opened.error());
  if (auto started = runtime->start(options); !started) return tl::unexpected(started.error());
  return runtime;
}

Result<void> CloudRuntime::open_store(const Options& options) {
  const std::uint64_t generation = fresh_generation();
  auto store = options.store.empty() ? open_lmdb_cloud(folder_.file("db"), generation)
               : options.network     ? await_postgres(options.store, generation, log_)
                                     : open_postgres_cloud(options.store, generation);  // somebody waits for an answer
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);
  if (auto kept = remember_cloud_store(folder_, options.store); !kept) return kept;
  return load_rosters();
}

void CloudRuntime::hear(const std::optional<CloudNews>& news) {
  if (stopping_) return;
  if (!news || news->what == "rosters") take_stored_rosters(news ? news->tenant : "");
  if (!news) {
    rows_changed(std::nullopt);
  } else {
    rows_changed(std::set{*news});
  }
}

Result<void> CloudRuntime::start(const Options& options) {
  links_ = std::make_unique<Links>(io_, noise::KeyPair::of(key_.x25519()), static_cast<LinkOwner&>(*this), log_,
                                   Links::kMaxConnections / 2);  // a shop, or many of them, may come from one address
  if (options.network) {
    auto port = links_->listen(options.listen);
    if (!port) return tl::unexpected(port.error());
    port_ = *port;
  }
  store_->listen([this](const std::optional<CloudNews>& news) { asio::post(io_, [this, news] { hear(news); }); });
  thread_ = std::thread([this] {
    const auto guard = asio::make_work_guard(io_);
    while (!stopping_ && io_.run_one() > 0) {
    }
    io_.run_for(milliseconds(500));
  });
  return {};
}

CloudRuntime::~CloudRuntime() {
  if (thread_.joinable()) {
    asio::post(io_, [this] {
      stopping_ = true;
      links_->close();
      wake_.cancel();
    });
    thread_.join();
  }
  reading_.join();
  database_->join();
  store_.reset();  // its listener posts to the loop
}

Hello CloudRuntime::hello_to(const TillId*) {
  Hello hello;
  hello.name = name_;
  hello.branch = BranchId{"cloud"};
  hello.run = run_;
  return hello;
}

Result<PeerInfo> CloudRuntime::admit(const noise::Key& key, const Hello& hello) {
  auto refuse = [&](const BranchKey& shop, Refused why, const std::string& sentence) {
    core_.refusals().count(shop, why);
    return fail(ErrorKind::refused, sentence);
  };
  auto brought = Roster::decode(hello.roster);
  if (!brought)
    return refuse({}, Refused::not_in_roster,
                  hello.name.text + " brought no valid roster: pair it with its branch first");
  const std::string tenant = brought->keys.id();
  const auto& rosters = core_.rosters();
  const bool tenant_known =
      std::any_of(rosters.begin(), rosters.end(), [&](const auto& r) { return r.first.tenant == tenant; });
  if (!tenant_known) {
    return refuse({}, Refused::unknown_tenant,
                  "this cloud does not serve the tenant of " + hello.name.text +
                      ": its operator adds it with 'tillsync roster import'");
  }
  const BranchKey shop{tenant, brought->branch};
  if (auto version = agree(hello_to(nullptr), hello); !version)
    return refuse(rosters.contains(shop) ? shop : BranchKey{}, Refused::too_old, version.error().message);
  if (auto named = check_names_me(*brought); !named) return tl::unexpected(named.error());
  carry_out(core_.on_roster(*brought));
  const Roster& roster = rosters.at(shop);
  const Member* member = roster.find_x25519(noise::view(key));
  if (member == nullptr || member->name != hello.name || hello.branch != roster.branch) {
    return refuse(shop, Refused::not_in_roster,
                  hello.name.text + " is not in the newest roster of branch " + hello.branch.text +
                      ": pair it anew, or ask the manager why it was removed");
  }
  return PeerInfo{member->name, member->role, hello, {}, tenant, {}, name_in(*brought)};
}

void CloudRuntime::on_up(PeerId id, const PeerInfo& peer) {
  const BranchKey shop{peer.shop_key, peer.hello.branch};
  if (!is_person(peer.role))  // who looks on asks every few seconds
    log_({Notice::Weight::info, peer.name.text + " of branch " + peer.hello.branch.text + " connected"});
  if (is_person(peer.role)) people_.emplace(id, std::pair(shop, *core_.rosters().at(shop).find(peer.name)));
  carry_out(core_.on_peer_up(read_clock(), id, shop, peer.name, peer.protocol));
}

void CloudRuntime::on_message(PeerId id, Message message) {
  if (people_.contains(id)) return answer_person(id, std::move(message));
  carry_out(core_.on_message(read_clock(), id, std::move(message)));
}

void CloudRuntime::on_unreadable(PeerId id) { carry_out(core_.on_unreadable(id)); }

void CloudRuntime::on_down(PeerId id) {
  people_.erase(id);
  core_.on_peer_down(id);
}

void CloudRuntime::rows_changed(const ChangedFeeds& feeds) { carry_out(core_.on_rows_changed(read_clock(), feeds)); }

void CloudRuntime::on_database(std::function<Result<void>(CloudStore&)> work, std::function<void(Result<void>)> done) {
  asio::post(*database_, [this, work = std::move(work), done = std::move(done)] {
    auto outcome = caught([&] { return work(*store_); });
    asio::post(io_, [outcome = std::move(outcome), done] { done(outcome); });
  });
}

Result<void> CloudRuntime::with_database(std::function<Result<void>(CloudStore&)> work) {
  std::promise<Result<void>> done;
  asio::post(*database_, [&] { done.set_value(caught([&] { return work(*store_); })); });
  return done.get_future().get();
}

void CloudRuntime::carry_out(CloudActions actions) {
  for (const Notice& notice : actions.notices) log_(notice);
  if (actions.new_roster) keep_roster(actions.new_roster->second, {});
  for (const Actions::Send& send : actions.sends) links_->send(send.to, send.message);
  for (PeerId peer : actions.hang_up) links_->hang_up(peer);
  for (auto& each : actions.to_read) {
    asio::post(reading_, [this, reading = std::move(each)] {
      (void)reading->read();
      ++reads_;
      reads_.notify_all();
    });
  }
  for (CloudActions::Job& each : actions.jobs) {
    asio::post(*database_, [this, lane = each.lane, job = std::move(each.job)] {
      for (auto read = reads_.load(); read < job->reads; read = reads_.load()) reads_.wait(read);
      auto outcome = run_job(*store_, witnesses_[lane], *job, [] { return read_clock().mono; });
      asio::post(io_, [this, lane, outcome = std::move(outcome)]() mutable {
        if (!stopping_) carry_out(core_.on_done(read_clock(), lane, std::move(outcome)));
      });
    });
  }
  if (const auto at = core_.next_wake(); at && !stopping_) {
    wake_.expires_after(std::max<Duration>(*at - read_clock().mono, Duration::zero()));
    wake_.async_wait([this](asio::error_code error) {
      if (!error && !stopping_) carry_out(core_.on_wake(read_clock()));
    });
  }
}

}  // namespace tillsync
