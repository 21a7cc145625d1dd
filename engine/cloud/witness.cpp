#include "engine/cloud/witness.hpp"

#include "engine/cloud/ingest/meta_names.hpp"
#include "engine/cloud/reset_cloud.hpp"
#include "storage/base/mutants.hpp"
#include "storage/base/pack.hpp"
#include "storage/base/text_rules.hpp"
#include "storage/model/cloud_store.hpp"
#include "storage/model/feeds.hpp"

namespace tillsync {

namespace {
void keep(CloudTxn& txn, const BranchKey& branch, const LeaseRecord& record) {
  txn.put_meta(lease_meta(branch), pack(record));
}

// Under a certificate: its term is the highest from now on, unless a higher one is known.
bool lead(CloudTxn& txn, const BranchKey& branch, std::uint64_t epoch, const Ballot& ballot) {
  LeaseRecord record = lease_record(txn, branch);
  if (record.outranks(epoch, ballot.term)) return mutated(Mutant::no_fencing);
  if (record.epoch == epoch && record.term == ballot.term) return true;
  record.epoch = epoch;
  record.term = ballot.term;
  record.holder = ballot.candidate;
  keep(txn, branch, record);
  return true;
}
}  // namespace

LeaseRecord lease_record(CloudTxn& txn, const BranchKey& branch) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  const LeaseRecord unreadable{kMost, Term{kMost}, {}, Promise{Term{kMost}, TillId{"unknown"}, 0}, kMost};  // says no
  const auto meta = txn.meta(lease_meta(branch));
  if (!meta && txn.meta(kCloudResetMeta)) return LeaseRecord{}.forgotten();  // a branch newer than the backup
  return meta ? unpack<LeaseRecord>(*meta).value_or(unreadable) : LeaseRecord{};
}

LeaseRecord LeaseRecord::forgotten() const {
  LeaseRecord now = *this;
  const Term highest = std::max(term, promise.value_or(Promise{}).term);
  now.promise = Promise{Term{highest.value + kTermsForgotten}, TillId{"unknown"}, Roster::kMaxLeaseMs};
  ++now.revision;
  return now;
}

std::optional<Message> Witness::on_ask(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask,
                                       const LeaseClock& clock) {
  if (const auto* m = std::get_if<PreVote>(&ask.what)) return pre_vote(txn, branch, ask, m->ballot, clock);
  if (const auto* m = std::get_if<RequestGrant>(&ask.what)) return request(txn, branch, ask, m->ballot, clock);
  if (const auto* m = std::get_if<Command>(&ask.what)) return command(txn, branch, ask, *m);
  if (const auto* m = std::get_if<Release>(&ask.what)) release(txn, branch, ask, m->term, clock);
  if (const auto* m = std::get_if<Announce>(&ask.what)) (void)lead(txn, branch, ask.epoch, m->certificate->ballot);
  return std::nullopt;
}

void Witness::committed() {
  for (const auto& [branch, watch] : staged_) watched_[branch] = watch;
  staged_.clear();
}

Instant Witness::bound_until(const BranchKey& branch, const LeaseRecord& record, Instant now) {
  if (mutated(Mutant::hasty_witness)) return Instant{};
  if (const auto it = staged_.find(branch); it != staged_.end() && it->second.revision == record.revision)
    return it->second.bound_until;
  const auto known = watched_.find(branch);
  if (known != watched_.end() && known->second.revision == record.revision) return known->second.bound_until;
  const Watch fresh{record.revision, now + promise_time(record.promise->duration_ms)};
  staged_[branch] = fresh;
  return fresh.bound_until;
}

std::optional<Refusal> Witness::refusal(const BranchKey& branch, const LeaseRecord& record, const Ballot& ballot,
                                        Instant now) {
  if (!record.promise) return std::nullopt;
  return refusal_of(*record.promise, bound_until(branch, record, now), now, ballot);
}

Message Witness::pre_vote(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, const Ballot& ballot,
                          const LeaseClock& clock) {
  const LeaseRecord record = lease_record(txn, branch);
  const Instant now = clock();
  const auto no = refusal(branch, record, ballot, now);
  return PreVoteReply{ballot.nonce, std::max(record.promise.value_or(Promise{}).term, record.term),
                      !no && ballot.roster_version == ask.roster_version, no ? left_ms(no->remaining) : 0,
                      ask.roster_version};
}

Message Witness::request(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, const Ballot& ballot,
                         const LeaseClock& clock) {
  const LeaseRecord record = lease_record(txn, branch);
  const Instant now = clock();
  const auto no = refusal(branch, record, ballot, now);
  if (no) return Deny{ballot.nonce, no->term, no->holder, left_ms(no->remaining), ask.roster_version};
  if (ballot.roster_version != ask.roster_version)
    return Deny{ballot.nonce, record.term, ask.self, 0, ask.roster_version};
  promise(txn, branch, record, {ballot.term, ballot.candidate, ballot.duration_ms}, now);
  return Grant{ballot, ask.self, {}};
}

void Witness::release(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, Term term, const LeaseClock& clock) {
  const LeaseRecord record = lease_record(txn, branch);
  if (!record.promise || record.promise->term != term || record.promise->holder != ask.from) return;
  promise(txn, branch, record, {term, ask.from, 0}, clock());  // the term stays used
}

void Witness::promise(CloudTxn& txn, const BranchKey& branch, LeaseRecord record, const Promise& promise, Instant now) {
  record.promise = promise;
  ++record.revision;
  keep(txn, branch, record);
  staged_[branch] = {record.revision, now + promise_time(promise.duration_ms)};
}

Message Witness::command(CloudTxn& txn, const BranchKey& branch, const LeaseAsk& ask, const Command& command) {
  const Ballot& ballot = command.certificate.ballot;
  if (!lead(txn, branch, ask.epoch, ballot)) {
    return Commanded{command.nonce, "fenced: another till has hosted since, in term " +
                                        std::to_string(lease_record(txn, branch).term.value)};
  }
  if (command.name.empty() || command.name.size() > 64 || !is_text(command.name))
    return Commanded{command.nonce, "a setting's name has 1 to 64 bytes of UTF-8 without control characters"};
  const FeedKind feed = setting_feed(branch.branch);
  const auto old = txn.row(branch, feed, command.name);
  if (!old || old->deleted || old->fields != command.value)
    txn.put_row(branch, {feed, command.name, false, Bytes(command.value)});
  return Commanded{command.nonce, {}};
}

}  // namespace tillsync
