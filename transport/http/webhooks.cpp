#include "transport/http/webhooks.hpp"

#include <httplib.h>
#include <sodium.h>

#include "engine/cloud/ingest/meta_names.hpp"
#include "storage/base/pack.hpp"
#include "transport/api/views.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;  // bytes; more is not read

struct Claim {
  std::uint64_t run = 0;
  std::int64_t until_ms = 0;
  template <class A>
  void fields(A& a) {
    a(run, until_ms);
  }
};

// "https://host:port/path" as what a client connects to, and the rest.
std::pair<std::string, std::string> parts_of(const std::string& url) {
  const std::size_t host = url.find("://") + 3, path = url.find('/', host);
  if (path == std::string::npos) return {url, "/"};
  return {url.substr(0, path), url.substr(path)};
}

// Nothing when there can't be one: httplib throws at a port that is no number of a port.
std::unique_ptr<httplib::Client> client_of(const std::string& host) {
  try {
    auto out = std::make_unique<httplib::Client>(host);
    return out->is_valid() ? std::move(out) : nullptr;
  } catch (const std::exception&) {
    return nullptr;
  }
}

std::string trouble_of(httplib::Error error, bool too_long) {
  if (too_long) return "it did not answer in time";
  switch (error) {
    case httplib::Error::Connection:
      return "nothing answers at that address";
    case httplib::Error::SSLConnection:
      return "TLS can't be set up with it";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not valid: it has expired, or is another host's, or nobody trusted signed it";
    case httplib::Error::SSLLoadingCerts:
      return "this machine has no list of trusted authorities: install ca-certificates";
    case httplib::Error::Read:
      return "it did not answer in time, or hung up";
    default:
      return "the request failed (" + httplib::to_string(error) + ")";
  }
}

std::string body_of(const BranchKey& shop, const Delivery& delivery) {
  api::Delivered out{shop.tenant, shop.branch.text, {}};
  for (const CloudOp& op : delivery.ops) {
    api::OpView& each = out.ops.emplace_back(api::view_of(op));
    each.id = each.till + "/" + std::to_string(op.chain.incarnation.value) + "/" + std::to_string(op.seq.value);
  }
  return json_text(api::write(out));
}

}  // namespace

std::string webhook_signature(const std::string& secret, std::int64_t timestamp_s, const std::string& body) {
  const std::string head = std::to_string(timestamp_s) + ".";
  auto bytes = [](const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes(secret), secret.size());
  crypto_auth_hmacsha256_update(&state, bytes(head), head.size());
  crypto_auth_hmacsha256_update(&state, bytes(body), body.size());
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  char text[2 * sizeof mac + 1];
  crypto_auth_hmacsha256_final(&state, mac);
  return std::string("v1=") + sodium_bin2hex(text, sizeof text, mac, sizeof mac);
}

WebhookAnswer post_delivery(const Webhook& hook, const std::string& key, const std::string& body, Duration limit) {
  const auto [host, path] = parts_of(hook.url);
  const auto connected = client_of(host);
  if (!connected) return {0, "its address can't be used: check it", {}, {}};
  httplib::Client& client = *connected;
  client.set_follow_location(false);
  client.set_connection_timeout(std::chrono::duration_cast<std::chrono::milliseconds>(limit));
  client.set_read_timeout(std::chrono::duration_cast<std::chrono::milliseconds>(limit));
  client.set_write_timeout(std::chrono::duration_cast<std::chrono::milliseconds>(limit));
  const std::int64_t now_s = read_clock().wall_ms / 1000;
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  request.headers = {{"Content-Type", "application/json"},
                     {"Idempotency-Key", key},
                     {"Tillsync-Timestamp", std::to_string(now_s)},
                     {"Tillsync-Signature", webhook_signature(hook.secret, now_s, body)}};
  std::size_t read = 0;
  request.content_receiver = [&](const char*, std::size_t n, std::uint64_t, std::uint64_t) {
    return (read += n) <= kMaxAnswer;
  };
  // Who sends a byte now and then never times out by itself.
  std::mutex mutex;
  std::condition_variable done;
  bool over = false, too_long = false;
  std::thread watch([&] {
    std::unique_lock lock(mutex);
    if (done.wait_for(lock, limit, [&] { return over; })) return;
    too_long = true;
    client.stop();
  });
  const auto result = client.send(request);
  {
    const std::lock_guard lock(mutex);
    over = true;
  }
  done.notify_one();
  watch.join();
  if (!result) return {0, trouble_of(result.error(), too_long), {}, {}};
  WebhookAnswer out{result->status, {}, result->get_header_value("Location"), {}};
  const std::string later = result->get_header_value("Retry-After");
  if (!later.empty() && later.size() < 6 && later.find_first_not_of("0123456789") == std::string::npos)
    out.retry_after = seconds(std::stoi(later));
  return out;
}

Webhooks::Webhooks(CloudRuntime& cloud, Log log) : cloud_(cloud), log_(std::move(log)) {
  randombytes_buf(&run_, sizeof run_);
  keeper_ = std::thread([this] { look_after_tenants(); });
}

Webhooks::~Webhooks() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  keeper_.join();
  for (auto& [tenant, lanes] : tenants_) {
    for (std::thread& lane : lanes) lane.join();
  }
}

void Webhooks::pause(Duration time) {
  std::unique_lock lock(mutex_);
  stop_.wait_for(lock, time, [this] { return stopping_.load(); });
}

// Those with a webhook get their lanes; one whose webhook is gone finds nothing to do.
void Webhooks::look_after_tenants() {
  while (!stopping_) {
    std::vector<std::string> tenants;
    auto read = cloud_.with_database([&](CloudStore& store) {
      return store.read([&](CloudTxn& txn) -> Result<void> {
        tenants.clear();
        txn.metas(kWebhookMetas,
                  [&](const std::string& name, ByteView) { tenants.push_back(name.substr(sizeof kWebhookMetas - 1)); });
        return {};
      });
    });
    for (const std::string& tenant : tenants) {
      auto& lanes = tenants_[tenant];
      for (std::size_t i = lanes.size(); i < kLanes && read; ++i)
        lanes.emplace_back([this, tenant, i] { serve(tenant, i); });
    }
    pause(seconds(2));
  }
}

bool Webhooks::claim(const std::string& tenant) {
  bool mine = false;
  const std::int64_t now_ms = read_clock().wall_ms;
  auto done = cloud_.with_database([&](CloudStore& store) {
    return store.write([&](CloudTxn& txn) -> Result<void> {
      txn.lock_feed({tenant, {}}, "webhook");
      const auto meta = txn.meta(courier_meta(tenant));
      const Claim claim = meta ? unpack<Claim>(*meta).value_or(Claim{}) : Claim{};
      mine = claim.run == run_ || claim.until_ms < now_ms;
      if (mine && (claim.run != run_ || claim.until_ms < now_ms + to_ms(kClaim) / 2))
        txn.put_meta(courier_meta(tenant), pack(Claim{run_, now_ms + to_ms(kClaim)}));
      return {};
    });
  });
  return done && mine;
}

void Webhooks::serve(const std::string& tenant, std::size_t lane) {
  Instant claimed_until{};
  while (!stopping_) {
    if (read_clock().mono >= claimed_until) {
      if (!claim(tenant)) {
        pause(seconds(5));
        continue;
      }
      claimed_until = read_clock().mono + kClaim / 3;
    }
    std::vector<BranchKey> due;
    const std::int64_t now_ms = read_clock().wall_ms;
    auto read = cloud_.with_database([&](CloudStore& store) {
      return store.read([&](CloudTxn& txn) -> Result<void> {
        due.clear();
        for (const auto& [shop, state] : Outbox(txn).states(tenant)) {
          const bool mine = std::hash<std::string>()(shop.branch.text) % kLanes == lane;
          if (mine && state.head < state.next && state.try_at_ms <= now_ms) due.push_back(shop);
        }
        return {};
      });
    });
    bool more = false;
    for (const BranchKey& shop : due) more = (!stopping_ && deliver_next(tenant, shop)) || more;
    if (!read || !more) pause(kLookEvery);
  }
}

bool Webhooks::deliver_next(const std::string& tenant, const BranchKey& shop) {
  std::optional<Webhook> hook;
  std::optional<Delivery> delivery;
  auto read = cloud_.with_database([&](CloudStore& store) {
    return store.read([&](CloudTxn& txn) -> Result<void> {
      hook = Outbox(txn).webhook(tenant);
      delivery = hook ? Outbox(txn).next(shop) : std::nullopt;
      return {};
    });
  });
  if (!read || !delivery || !hook) return false;
  const WebhookAnswer answer = delivery->ops.empty()
                                   ? WebhookAnswer{200, {}, {}, {}}
                                   : post_delivery(*hook, delivery->key, body_of(shop, *delivery), kAttempt);
  const double chance = static_cast<double>(randombytes_random()) / 4294967296.0;
  const CourierVerdict verdict = judge(answer, delivery->state.attempts, chance);
  return record(shop, *delivery, verdict, read_clock().wall_ms) && verdict.what != CourierVerdict::What::wait;
}

Result<void> Webhooks::record(const BranchKey& shop, const Delivery& delivery, const CourierVerdict& verdict,
                              std::int64_t now_ms) {
  using What = CourierVerdict::What;
  if (verdict.what == What::set_aside || (verdict.what == What::wait && delivery.state.attempts == 0))
    log_({Notice::Weight::warning,
          "webhook of branch " + shop.branch.text + ": " + verdict.why +
              (verdict.what == What::wait
                   ? "; it is tried again until it works"
                   : "; delivery " + delivery.key + " is set aside: 'tillsync webhook aside' shows it")});
  if (verdict.what == What::delivered && delivery.state.attempts > 0)
    log_({Notice::Weight::info, "webhook of branch " + shop.branch.text + " works again"});
  return cloud_.with_database([&](CloudStore& store) {
    return store.write([&](CloudTxn& txn) -> Result<void> {
      Outbox outbox(txn);
      if (verdict.what == What::delivered) outbox.delivered(shop, delivery);
      if (verdict.what == What::wait) outbox.failed(shop, delivery, verdict.why, now_ms, now_ms + to_ms(verdict.wait));
      if (verdict.what == What::set_aside) outbox.set_aside(shop, delivery, verdict.why, now_ms);
      return {};
    });
  });
}

}  // namespace tillsync
