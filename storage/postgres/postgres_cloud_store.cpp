#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "storage/model/cloud_store.hpp"
#include "storage/postgres/announcement.hpp"
#include "storage/postgres/cloud_txn.hpp"
#include "storage/postgres/schema.hpp"

namespace tillsync {

namespace {

using namespace postgres;

constexpr int kSerialisedTries = 10;
constexpr std::size_t kIdleConnections = 4;
constexpr int kLookFor = 64;  // transactions, after one that met a key that was not new: a till that was restored
constexpr std::chrono::milliseconds kListenFor{250}, kFirstPause{250}, kLongestPause{8000};

std::string random_name() {
  std::uint64_t value = 0;
  randombytes_buf(&value, sizeof value);
  return std::to_string(value);
}

// A process that freezes in a transaction does not hold a branch for ever; an answer means durable, whatever the
// server's default.
constexpr const char* kSession[] = {
    "SET search_path = tillsync",
    "SET enable_seqscan = off",  // all is found by an index, however little the server knows of a table that grows
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET statement_timeout = '120s'",
    "SET idle_in_transaction_session_timeout = '60s'",
    ("SELECT set_config('synchronous_commit', 'on', false) "
     "WHERE current_setting('synchronous_commit') IN ('off', 'local')"),
};

class PostgresCloudStore final : public CloudStore {
 public:
  PostgresCloudStore(std::string url, CloudTxnOptions options) : url_(std::move(url)), options_(std::move(options)) {}
  ~PostgresCloudStore() override {
    stopping_ = true;
    if (listener_.joinable()) listener_.join();
  }

  Result<void> open(std::uint64_t fresh_generation) {
    auto db = take();
    if (!db) return tl::unexpected(db.error());
    if (auto ready = bring_up_to_date(**db); !ready) return ready;
    give_back(std::move(*db));
    return write([&](CloudTxn& txn) -> Result<void> {
      txn.lock_feed({}, "");  // the first of several processes decides
      const auto stored = txn.meta(kGenerationMeta);
      options_.generation = stored ? unpack<std::uint64_t>(*stored).value_or(fresh_generation) : fresh_generation;
      if (!stored) txn.put_meta(kGenerationMeta, pack(fresh_generation));
      return {};
    });
  }

  Result<void> write(const std::function<Result<void>(CloudTxn&)>& body) override { return run(true, body); }
  Result<void> read(const std::function<Result<void>(CloudTxn&)>& body) override { return run(false, body); }

  Result<void> copy_to(const std::string&) override {
    return fail(
        ErrorKind::refused,
        "a record in PostgreSQL is copied by PostgreSQL: pg_dump -Fc -f FILE DATABASE (docs/running-a-cloud.md)");
  }

  void listen(std::function<void(const std::optional<CloudNews>&)> on_news) override {
    listener_ = std::thread([this, on_news = std::move(on_news)] { listen_loop(on_news); });
  }

 private:
  Result<std::unique_ptr<Connection>> take() {
    {
      const std::lock_guard guard(mutex_);
      if (!idle_.empty()) {
        auto db = std::move(idle_.back());
        idle_.pop_back();
        return db;
      }
    }
    auto db = Connection::open(url_);
    if (!db) return db;
    for (const char* each : kSession) (*db)->send_text(each);
    if (auto set = (*db)->sync(); !set) return tl::unexpected(set.error().error);
    return db;
  }

  void give_back(std::unique_ptr<Connection> db) {
    const std::lock_guard guard(mutex_);
    if (db->good() && idle_.size() < kIdleConnections) idle_.push_back(std::move(db));
  }

  void drop_idle() {
    const std::lock_guard guard(mutex_);
    idle_.clear();
  }

  Result<void> run(bool writes, const std::function<Result<void>(CloudTxn&)>& body) {
    bool again = true;  // once, when the server has gone since the connection was last used
    CloudTxnOptions options = options_;
    options.trusts_keys = writes && looking_ == 0;
    for (int left = kSerialisedTries;; --left) {
      auto db = take();
      if (!db) return tl::unexpected(db.error());
      Session session(**db, writes, options);
      PostgresCloudTxn txn(session);
      session.begin();
      auto outcome = body(txn);
      if (outcome && writes) txn.flush();
      if (outcome) session.commit();
      if (!outcome || session.fault()) session.roll_back();
      if (!session.fault()) {
        if (writes && !options.trusts_keys) looking_ = txn.met_old_keys() ? kLookFor : std::max(looking_ - 1, 0);
        give_back(std::move(*db));
        return outcome;
      }
      const Fault::Kind kind = session.fault()->kind;
      if (kind == Fault::Kind::lost) {
        drop_idle();  // the others were to the same server
      } else {
        give_back(std::move(*db));
      }
      const bool trusted = kind == Fault::Kind::taken && std::exchange(options.trusts_keys, false);
      if (trusted) looking_ = kLookFor;
      const bool harmless = kind == Fault::Kind::serialised || trusted ||
                            (kind == Fault::Kind::lost && !session.commit_sent() && std::exchange(again, false));
      if (!harmless || left == 0) return tl::unexpected(session.fault()->error);
    }
  }

  void listen_loop(const std::function<void(const std::optional<CloudNews>&)>& on_news) {
    auto pause = kFirstPause;
    while (!stopping_) {
      auto db = Connection::open(url_);
      if (!db || (*db)->run_text("LISTEN tillsync")) {
        for (auto slept = std::chrono::milliseconds(0); slept < pause && !stopping_; slept += kFirstPause)
          std::this_thread::sleep_for(kFirstPause);
        pause = std::min(pause * 2, kLongestPause);
        continue;
      }
      pause = kFirstPause;
      on_news(std::nullopt);  // what was announced meanwhile is not known
      while (!stopping_) {
        const auto payloads = (*db)->notifications(kListenFor);
        if (!payloads) break;
        for (const std::string& payload : *payloads) {
          const auto news = decode_announcement(payload);
          if (news && news->process != options_.process) on_news(CloudNews{news->tenant, news->what});
        }
      }
    }
  }

  std::string url_;
  CloudTxnOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> looking_ = 0;  // transactions that look whether keys are new
  std::thread listener_;
};

}  // namespace

Result<std::unique_ptr<CloudStore>> open_postgres_cloud(const std::string& url, std::uint64_t fresh_generation,
                                                        std::uint64_t tombstones_kept) {
  const bool bare = url == "postgresql" || url == "postgres";  // whatever libpq's variables name
  auto store = std::make_unique<PostgresCloudStore>(bare ? "postgresql://" : url,
                                                    CloudTxnOptions{0, tombstones_kept, random_name()});
  if (auto opened = store->open(fresh_generation); !opened) return tl::unexpected(opened.error());
  return store;
}

}  // namespace tillsync
