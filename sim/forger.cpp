#include "sim/forger.hpp"

#include "storage/op_codec.hpp"

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
  if (const auto* announce = message ? std::get_if<Announce>(&*message) : nullptr)
    host_ = announce->certificate ? std::optional(announce->certificate->ballot.candidate) : std::nullopt;
  if (const auto* offer = message ? std::get_if<Offer>(&*message) : nullptr) {
    invent(*offer);
    if (offer->chain.till != stolen_.till && offers_.size() < kMemory) offers_.push_back(*offer);
  }
  if (!message || !is_signed(*message)) return;
  if (overheard_.size() < kMemory) return overheard_.push_back(std::move(bytes));
  overheard_[world_.random().below(kMemory)] = std::move(bytes);
}

// The next sale of a till that offers its history, signed with the only key he has.
void Forger::invent(const Offer& offer) {
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

// Of a history of somebody else's, to anybody.
void Forger::lie() {
  if (offers_.empty() || peers_.empty() || !host_ || *host_ == stolen_.till) return;
  Random& dice = world_.random();
  Offer of = offers_[dice.below(offers_.size())];
  if (dice.below(4) == 0) of.chain.incarnation = Incarnation{dice.nonzero()};
  ChainPoint point = of.last;
  if (dice.below(2) == 0) point.seq.value += dice.below(1000);
  if (dice.below(2) == 0) point.hash = blake2b(point.hash.view());
  const Level levels[] = {Level::own_disk, Level::two_disks, Level::host, Level::cloud};
  const Message lies[] = {Held{of.chain, levels[dice.below(4)], point},
                          Offer{of.chain, point, point},
                          Seen{{{of.chain.till, of.chain.incarnation, point.seq}}},
                          Events{{{of.chain, Seq{point.seq.value + 1}, Hlc{1}, {{"sku-0", false, 1'000'000, true}}}}},
                          Fetch{of.chain, Seq{1}},
                          Fetched{of.chain, Seq{1}, {Binary("no op")}},
                          Rescued{of.chain, point},
                          Pages{{{"branch", "stock", 1, {}, RowVersion{1}, false, true, 0, {}, {}}}}};
  network_.send(*this, peers_[dice.below(peers_.size())], encode(lies[dice.below(std::size(lies))]));
}

void Forger::strike() {
  if (!here_) return;
  lie();
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
