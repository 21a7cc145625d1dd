#include "sim/rules/rules.hpp"

#include <algorithm>
#include <iterator>

#include "storage/model/op_codec.hpp"

namespace tillsync::sim {

namespace {
constexpr std::uint64_t kMaxMessages = 3'000;   // a second: more is a storm
constexpr std::uint64_t kMaxWakes = 100;        // of a till, a second, without being told anything
constexpr std::size_t kMaxInFlight = 64 << 20;  // bytes
constexpr std::uint64_t kMaxOwnOps = 200;       // that engines write by themselves, besides re-issues
}  // namespace

// Rule 1, at once: a receipt names an op that no power cut can take.
void Rules::on_flushed(const SimTill&, const std::vector<Bytes>& ops) {
  for (const Bytes& bytes : ops) {
    const auto op = decode_op(bytes);
    if (op) flushed_[blake2b(bytes)] = {op->chain, op->seq, op->hlc};
  }
  if (flushed_.size() > kMaxOwnOps + 8 * receipts_ && broken_.empty())
    breaks("growth: " + std::to_string(flushed_.size()) + " ops on disk for " + std::to_string(receipts_) +
           " receipts");
}

void Rules::on_receipt(const SimTill& till, const HandedOut& handed) {
  ++receipts_;
  if (!flushed_.contains(handed.receipt.hash))
    breaks("receipt: " + till.label() + " handed out " + handed.key + " before it was on the disk");
}

void Rules::cloud_went_back(const std::set<std::string>& keys) {
  destroyed_.insert(keys.begin(), keys.end());
  cloud_went_back_ = true;
  for (auto& [branch, book] : books_) {
    for (const auto& [key, content] : book.effects) were_in_cloud_.insert(key), unheard_of_[branch].insert(key);
    ShopBook fresh;
    fresh.holder = book.holder, fresh.commanded = book.commanded;
    book = std::move(fresh);
  }
  on_cloud_job();
}

// Until a till hears from the cloud that went back, tills say truly, as far as anybody can know, that it has a sale,
// and let its copies go. What nobody has any more by then, since its till went back as well, no engine can bring back.
void Rules::on_word_of_cloud(const SimTill& till) {
  const auto unheard_of = unheard_of_.find(fleet_->branch_of(till));
  if (unheard_of == unheard_of_.end()) return;
  std::ranges::set_intersection(unheard_of->second, fleet_->nowhere(), std::inserter(destroyed_, destroyed_.end()));
  unheard_of_.erase(unheard_of);
}

// A till may say "in the cloud" only of what is there.
void Rules::on_level(const SimTill& till, const std::string& key, Level level) {
  if (level == Level::own_disk) return;
  const bool in_cloud = books_[fleet_->branch_of(till)].effects.contains(key) || were_in_cloud_.contains(key);
  const bool safe = in_cloud || (level != Level::cloud && (went_back_ || on_another_disk(till, key)));
  constexpr const char* names[] = {"on its disk", "on two disks", "at the host", "in the cloud"};
  if (!safe) breaks("level: " + till.label() + " was told that " + key + " is " + names[static_cast<int>(level)]);
}

bool Rules::on_another_disk(const SimTill& till, const std::string& key) {
  const auto handed =
      std::find_if(till.receipts().begin(), till.receipts().end(), [&](const auto& r) { return r.key == key; });
  if (handed == till.receipts().end()) return true;  // its receipt was not handed out: nobody relies on it
  const ChainId chain{till.who().till, handed->receipt.incarnation};
  for (const auto& other : fleet_->tills()) {
    if (other.get() == &till) continue;
    if (!other->alive()) return true;  // it may lie on one that is down
    bool there = false;
    other->store().view().relay_ops(chain, handed->receipt.seq, [&](Seq, ByteView) { return there = true, false; });
    other->store().view().divergent([&](const ChainId& of, const ChainPoint& end) {
      there = there || (of == chain && end.seq >= handed->receipt.seq);
    });
    if (there) return true;
  }
  return false;
}

void Rules::on_unreadable(const SimTill& till, ByteView message) {
  breaks("unreadable: " + till.label() + " sent a malformed message of " + std::to_string(message.size()) + " bytes");
}

// Rule 4: once a later host has acted at the cloud, an earlier one can't.
void Rules::on_commanded(const Ballot& lease) {
  for (int b = 0; b < fleet_->branches(); ++b) {
    if (fleet_->roster(b).branch != lease.branch) continue;
    Term& highest = books_[b].commanded;
    const bool nobody_knows = went_back_ && cloud_went_back_;  // the cloud's backup, and a till's
    if (lease.term < highest && !nobody_knows)
      breaks("fencing: " + lease.candidate.text + " commanded the cloud in term " + std::to_string(lease.term.value) +
             " after another in " + std::to_string(highest.value));
    highest = std::max(highest, lease.term);
  }
}

bool Rules::after_event() {
  if (!cloned_) check_leases();
  const Instant now = fleet_->world().now();
  if (now >= next_second_) {
    check_limits();
    next_second_ = now + seconds(1);
  }
  if (now >= next_rows_) {
    for (const auto& till : fleet_->tills()) {
      if (till->responds() && fleet_->cloud().alive() && rows_moved(*till)) check_rows(*till, false);
    }
    next_rows_ = now + rows_every_;
  }
  return broken_.empty();
}

// Rule 4.
void Rules::check_leases() {
  for (int b = 0; b < fleet_->branches(); ++b) {
    std::string holder;
    for (const auto& till : fleet_->tills()) {
      if (!till->alive() || fleet_->branch_of(*till) != b) continue;
      const LeaseView lease = till->node().lease(till->now());
      if (lease.kind != LeaseKind::exclusive || lease.host.text != till->label()) continue;
      if (!holder.empty()) breaks("lease: " + holder + " and " + till->label() + " hold it at once");
      holder = till->label();
      Holder& last = books_[b].holder;
      const bool rises =
          lease.term > last.term || (lease.term == last.term && (last.who == holder || last.who.empty()));
      if (!rises && !went_back_)  // a restored till has forgotten its promises
        breaks("lease: " + holder + " holds it in term " + std::to_string(lease.term.value) + " after " + last.who +
               " in " + std::to_string(last.term.value));
      last = {lease.term, holder};
    }
  }
}

// Rule 7, once a second: a second without any event asks nothing.
void Rules::check_limits() {
  const std::uint64_t sent = fleet_->network().messages() - messages_before_;
  messages_before_ += sent;
  if (sent > kMaxMessages) breaks("storm: " + std::to_string(sent) + " messages in a second");
  for (const auto& till : fleet_->tills()) {
    std::uint64_t& before = woke_before_[till->label()];
    const std::uint64_t woke = till->woke() - std::exchange(before, till->woke());
    if (woke > kMaxWakes) breaks("storm: " + till->label() + " woke up " + std::to_string(woke) + " times in a second");
  }
  if (fleet_->network().in_flight() > kMaxInFlight)
    breaks("storm: " + std::to_string(fleet_->network().in_flight()) + " bytes are under way");
}

// Rows change by a job of the cloud or a commit of the till; most seconds have neither.
bool Rules::rows_moved(const SimTill& till) {
  std::uint64_t& seen = rows_seen_[till.label()];
  const std::uint64_t now = cloud_jobs_ + till.commits_and_starts();
  return std::exchange(seen, now) != now;
}

}  // namespace tillsync::sim
