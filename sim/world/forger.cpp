#include "sim/world/forger.hpp"

#include "storage/model/op_codec.hpp"

namespace tillsync::sim {

namespace {

constexpr std::size_t kMemory = 64;  // messages
constexpr Duration kEvery = milliseconds(150);

bool is_signed(const Message& message) {
  return std::holds_alternative<Push>(message) || std::holds_alternative<Announce>(message) ||
         std::holds_alternative<RequestGrant>(message) || std::holds_alternative<Grant>(message) ||
         std::holds_alternative<NewRoster>(message) || std::holds_alternative<Progress>(message);
}

}  // namespace

Forger::Forger(World& world, Network& network, Identity stolen)
    : world_(world), network_(network), stolen_(std::move(stolen)), label_("thief-of-" + stolen_.till.text) {
  network_.join(*this);
  strike();
}

void Forger::go() {
  if (std::exchange(here_, false)) network_.leave(*this);
}

void Forger::on_up(PeerId id, Endpoint&) { peers_.push_back(id); }

void Forger::on_bytes(PeerId, Bytes bytes) {
  const auto message = decode_message(bytes);
  if (message && std::holds_alternative<HistoryOffer>(*message)) invent(std::get<HistoryOffer>(*message));
  if (!message || !is_signed(*message)) return;
  if (overheard_.size() < kMemory) return overheard_.push_back(std::move(bytes));
  overheard_[world_.random().below(kMemory)] = std::move(bytes);
}

// The next sale of a till that offers its history, signed with the only key he has.
void Forger::invent(const HistoryOffer& offer) {
  if (offer.chain.till == stolen_.till) return;
  Op op;
  op.branch = stolen_.branch, op.chain = offer.chain.id();
  op.seq = offer.last.seq.next(), op.prev = offer.last.hash;
  op.kind = OpKind::custom, op.key = "forged", op.body = "a sale that never was";
  const Bytes bytes = encode(op);
  const ChainPoint end{op.seq, blake2b(bytes)};
  Push push{offer.chain, op.seq, {Binary(bytes)}, {}};
  push.signature = Binary(stolen_.key.sign(push_bytes(op.branch, op.chain, end)));
  for (PeerId peer : peers_) network_.send(*this, peer, encode(Message(push)));
}

void Forger::strike() {
  if (!here_) return;
  if (!overheard_.empty() && !peers_.empty()) {
    Bytes message = overheard_[world_.random().below(overheard_.size())];
    const std::uint64_t how = world_.random().below(8);
    char& at = message[world_.random().below(message.size())];
    if (how > 2) at = static_cast<char>(at ^ static_cast<char>(1 << world_.random().below(8)));
    if (how == 2) message.resize(static_cast<std::size_t>(&at - message.data()));
    network_.send(*this, peers_[world_.random().below(peers_.size())], std::move(message));
  }
  world_.after(kEvery, [this] { strike(); });
}

}  // namespace tillsync::sim
