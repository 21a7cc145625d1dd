#include "tests/bench/light_till.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/use_awaitable.hpp>

#include "storage/base/random.hpp"
#include "storage/model/op_codec.hpp"
#include "transport/base/clock.hpp"

namespace tillsync::bench {

namespace {

constexpr std::int64_t kStart = 1'770'000'000'000;  // ms since 1970
constexpr std::size_t kLines = 4;

Document sale(Random& random, std::size_t products, const std::string& key) {
  Document document;
  document.invoice = key;
  document.note = std::string(220, 'n');  // what tills print: a four-line sale is about 600 bytes
  for (std::size_t i = 0; i < kLines; ++i) {
    const std::string sku = "sku-" + std::to_string(random.below(products));
    document.lines.push_back(
        {sku, Quantity{static_cast<std::int64_t>(1 + random.below(3)) * 1000}, 199, "A product called " + sku});
  }
  return document;
}

}  // namespace

History::History(const BranchId& branch, const TillId& till, const SecretKey& key, std::size_t sales,
                 std::size_t products, std::size_t push_ops)
    : chain{till, Incarnation{1}} {
  Random random(blake2b(branch.text + till.text).bytes[0] + 1);
  Push push{WireChain::of(chain), Seq{1}, {}, {}};
  std::size_t push_size = 0;
  const auto ship = [&] {
    if (push.ops.empty()) return;
    push.signature = Binary(key.sign(push_bytes(branch, chain, end)));
    pushes.push_back(std::move(push));
    push = {WireChain::of(chain), end.seq.next(), {}, {}};
    push_size = 0;
  };
  for (std::size_t i = 1; i <= sales; ++i) {
    Op op;
    op.branch = branch;
    op.chain = chain;
    op.seq = Seq{i};
    op.prev = end.hash;
    op.hlc = Hlc::at(kStart + static_cast<std::int64_t>(i) * 1000);
    op.kind = OpKind::sale;
    op.key = branch.text + "/" + till.text + "/" + std::to_string(i);
    op.cashier = "ada";
    const Document document = sale(random, products, std::to_string(i));
    for (const Line& line : document.lines) sold[line.sku] += line.quantity.milli;
    op.body = encode(document);
    Binary bytes(encode(op));
    if (push_size + bytes.size() > kMaxBatchBytes || push.ops.size() >= std::min(push_ops, kMaxBatchOps)) ship();
    end = {op.seq, blake2b(bytes)};
    keys.push_back(op.key);
    this->bytes += bytes.size();
    push_size += bytes.size();
    push.ops.push_back(std::move(bytes));
  }
  ship();
}

LightTill::LightTill(asio::io_context& io, const Roster& roster, const TillId& till, const SecretKey& key,
                     const History& history)
    : io_(io),
      history_(history),
      cloud_(roster.cloud()->name),
      cloud_key_(*PublicKey::from_bytes(roster.cloud()->key)->x25519()),
      links_(io, noise::KeyPair::of(key.x25519()), *this, [](const Notice&) {}) {
  hello_.name = till;
  hello_.branch = roster.branch;
  hello_.roster = Binary(roster.encoded());
}

void LightTill::start(std::vector<Address> clouds) {
  asio::co_spawn(io_, stay_connected(std::move(clouds)), asio::detached);
  asio::co_spawn(io_, beat(), asio::detached);
}

asio::awaitable<void> LightTill::beat() {
  asio::steady_timer timer(io_);
  while (!closing_) {
    timer.expires_after(milliseconds(2000));
    co_await timer.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
    if (!closing_) links_.send(peer_, Ping{1});
  }
}

asio::awaitable<void> LightTill::stay_connected(std::vector<Address> clouds) {
  asio::steady_timer timer(io_);
  for (std::size_t i = 0; !closing_; ++i) {
    const Address at = clouds[i % clouds.size()];
    (void)co_await links_.dial(cloud_, cloud_key_, at);
    timer.expires_after(milliseconds(100));
    co_await timer.async_wait(asio::experimental::as_tuple(asio::use_awaitable));
  }
}

Result<PeerInfo> LightTill::admit(const noise::Key&, const Hello& hello) {
  return PeerInfo{hello.name, Role::cloud, hello, {}, {}};
}

void LightTill::on_up(PeerId id, const PeerInfo&) {
  peer_ = id;
  ++connects_;
  sender_ = {};
  links_.send(id, HistoryOffer{WireChain::of(history_.chain), history_.end, {}});
  (void)sender_.next_offer(read_clock().mono, false);
}

void LightTill::on_message(PeerId, Message message) {
  const auto* held = std::get_if<Ack>(&message);
  if (held == nullptr) return;
  sender_.on_held(read_clock().mono, held->point.seq);
  pump();
}

void LightTill::pump() {
  while (const auto from = sender_.next_batch(history_.end.seq)) {
    const auto push = std::ranges::find(history_.pushes, *from, &Push::first);
    if (push == history_.pushes.end()) return links_.hang_up(peer_);  // its watermark is none of ours
    links_.send(peer_, *push);
    sender_.on_sent(read_clock().mono, Seq{push->first.value + push->ops.size() - 1});
  }
}

void LightTill::close() {
  closing_ = true;
  links_.close();
}

}  // namespace tillsync::bench
