// Part of a job, mostly the whole: one transaction that writes, and one that reads afterwards. Answers go out when both
// are through, so that they say what is durable.
#include <algorithm>
#include <map>
#include <set>

#include "conflicts/kinds.hpp"
#include "engine/cloud/job_part.hpp"
#include "engine/cloud/reset_cloud.hpp"
#include "engine/cloud/roster_record.hpp"
#include "engine/wire/paging.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/cloud_store.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/op_codec.hpp"
#include "storage/model/row_groups.hpp"

namespace tillsync {

namespace {

void answer_offer(CloudTxn& txn, const CloudAsk& ask, const HistoryOffer& offer, CloudAnswers& out) {
  const ChainPoint held = txn.chain(ask.branch, offer.chain.id()).value_or(ChainPoint{});
  out.answers.push_back({ask.from, Ack{offer.chain, Level::cloud, held}});
}

void answer_fetch(CloudTxn& txn, const CloudAsk& ask, const Fetch& fetch, CloudAnswers& out) {
  Fetched answer{fetch.chain, fetch.from, {}, true};
  std::size_t bytes = 0;
  txn.ops(ask.branch, fetch.chain.id(), fetch.from, [&](const CloudOp& op) {
    if (!answer.ops.empty() && (bytes + op.bytes.size() > kMaxBatchBytes || answer.ops.size() >= kMaxBatchOps))
      return false;
    bytes += op.bytes.size();
    answer.ops.emplace_back(op.bytes);
    return true;
  });
  out.answers.push_back({ask.from, std::move(answer)});
}

// What the stock rows of a branch have settled. A history that its till left for another is settled whole; of those
// that none names as left (a till was set up anew) the youngest is open.
std::vector<ChainUpTo> settled(CloudTxn& txn, const BranchKey& branch) {
  std::map<ChainId, Hlc> began;
  std::set<ChainId> left;
  const auto chains = txn.chains(branch);
  for (const auto& [chain, point] : chains) {
    txn.ops(branch, chain, Seq{1}, [&, id = chain](const CloudOp& first) {
      const auto op = decode_op(first.bytes);
      if (op) began.try_emplace(id, op->hlc);
      const auto fork = op && op->kind == OpKind::incarnation ? unpack<ForkState>(op->body) : std::nullopt;
      if (fork) left.insert({id.till, fork->old_incarnation});
      return fork.has_value();  // it may name several
    });
  }
  std::map<TillId, ChainId> open;
  for (const auto& [chain, hlc] : began) {
    if (left.contains(chain)) continue;
    const auto [it, only] = open.try_emplace(chain.till, chain);
    if (!only && hlc > began[it->second]) it->second = chain;
  }
  std::vector<ChainUpTo> out;
  for (const auto& [chain, point] : chains) {
    left.erase(chain);
    const bool is_open = open.contains(chain.till) && open.at(chain.till) == chain;
    out.push_back({chain.till, chain.incarnation, is_open ? point.seq : ChainUpTo::kClosed});
  }
  for (const ChainId& lost : left) out.push_back({lost.till, lost.incarnation, ChainUpTo::kClosed});
  return out;
}

void answer_pull(CloudTxn& txn, const CloudAsk& ask, const Pull& pull, CloudAnswers& out) {
  Pages answer;
  std::size_t bytes = 0;
  for (const std::string& name : pull.feeds) {
    if (name.starts_with("group/")) {
      const auto group = txn.row(ask.branch, groups_feed(), name.substr(6));
      if (!group || !in_group(*group, ask.branch.branch)) continue;
    }
    std::set<std::string> kinds;
    for (const std::string& kind : txn.kinds(ask.branch, name)) kinds.insert(kind);
    for (const RowPosition& p : pull.positions) {
      if (p.feed == name) kinds.insert(p.kind);  // also what it has and the cloud has not: a backup may lack it
    }
    for (const std::string& kind : kinds) {
      const FeedKind feed{name, kind};
      const FeedRecord newest = txn.feed(ask.branch, feed);
      const RowPosition position = position_of(pull, feed);
      if (is_current(position, newest) || bytes > kMaxPagesBytes) continue;
      answer.pages.push_back(make_page(position, newest, [&](RowVersion after, const RowVisitor& visit) {
        txn.rows_after(ask.branch, feed, after, visit);
      }));
      if (feed == stock_feed(ask.branch.branch) && !answer.pages.back().more)
        answer.pages.back().settled = settled(txn, ask.branch);
      for (const auto& row : answer.pages.back().rows) bytes += row.fields_bytes.size() + 32;
    }
  }
  if (answer.pages.empty()) {
    out.waiting.push_back(ask);
  } else {
    out.answers.push_back({ask.from, std::move(answer)});
  }
}

bool writes(const CloudAsk& ask) {
  const auto* lease = std::get_if<LeaseAsk>(&ask.what);
  if (lease != nullptr) return !std::holds_alternative<PreVote>(lease->what);
  return std::holds_alternative<VerifiedPush>(ask.what) || std::holds_alternative<TwoGrants>(ask.what) ||
         std::holds_alternative<Progress>(ask.what) || wants_reply(ask);
}

void answer_lease(CloudTxn& txn, Witness& witness, const CloudAsk& ask, const LeaseClock& clock, CloudAnswers& out) {
  const auto* lease = std::get_if<LeaseAsk>(&ask.what);
  if (lease == nullptr) return;
  auto answer = witness.on_ask(txn, ask.branch, *lease, clock);
  if (answer) out.answers.push_back({ask.from, std::move(*answer)});
}

// Imports lock the feed that they change, and no branch.
std::vector<BranchKey> written_branches(JobPart part) {
  std::vector<BranchKey> out;
  for (const auto& [ask, push] : part) {
    if (writes(*ask) && !std::holds_alternative<ImportRows>(ask->what)) out.push_back(ask->branch);
  }
  return out;
}

Result<std::uint64_t> keep_roster(CloudTxn& txn, const KeepRoster& ask) {
  store_roster(txn, ask.roster);
  return 0;
}

Result<std::uint64_t> settle(Ingest& ingest, const CloudAsk& ask, const SettleConflict& settlement) {
  const auto settled =
      ingest.branch(ask.branch).settle(settlement.draft, settlement.said, settlement.name, settlement.key);
  return settled.map([] { return std::uint64_t{0}; });
}

void take_pushes(Ingest& ingest, JobPart part, CloudAnswers& out) {
  for (const auto& [ask, push] : part) {
    if (push == nullptr) continue;
    const ChainPoint held = ingest.branch(ask->branch).push(*push);
    out.answers.push_back({ask->from, Ack{WireChain::of(push->push.chain), Level::cloud, held}});
  }
}

void take_statements(Ingest& ingest, JobPart part, std::int64_t now_ms) {
  for (const auto& [ask, unused] : part) {
    if (const auto* p = std::get_if<Progress>(&ask->what))
      ingest.branch(ask->branch).progress(p->chain.id(), p->last, p->hlc);
    const auto* e = std::get_if<TwoGrants>(&ask->what);  // a till that was seen to lie is a matter for people
    if (e != nullptr)
      ingest.branch(ask->branch)
          .prove(two_grants(e->grantor, e->first.candidate, e->second.candidate, e->first.term.value, now_ms));
  }
}

// What changes the record, in one transaction. What the cloud itself brings comes first: it locks feeds, and what
// was read of them before would be old.
void take_writes(CloudTxn& txn, Witness& witness, const CloudJob& job, JobPart part, const LeaseClock& clock,
                 CloudAnswers& out) {
  const std::int64_t now_ms = job.now.wall_ms;
  txn.lock(written_branches(part));
  witness.begin();
  for (const auto& [ask, unused] : part) {
    if (const auto* roster = std::get_if<KeepRoster>(&ask->what))
      out.replies.push_back({ask->reply, keep_roster(txn, *roster)});
    if (const auto* rows = std::get_if<ImportRows>(&ask->what))
      out.replies.push_back({ask->reply, import_rows(txn, ask->branch, rows->batch, now_ms)});
  }
  IngestPlan plan(txn, now_ms, *job.policies);
  for (const auto& [ask, push] : part) {
    if (push != nullptr) plan.expect(ask->branch, *push);
  }
  Ingest ingest = std::move(plan).read();
  take_pushes(ingest, part, out);
  take_statements(ingest, part, now_ms);
  for (const auto& [ask, unused] : part) {
    if (const auto* settlement = std::get_if<SettleConflict>(&ask->what))
      out.replies.push_back({ask->reply, settle(ingest, *ask, *settlement)});
  }
  out.counts = std::move(ingest).close(job.tills);
  for (const auto& [ask, unused] : part) {
    if (writes(*ask)) answer_lease(txn, witness, *ask, clock, out);
  }
}

// After the writes, so that readers see them; in a transaction of their own, which holds nobody up.
void answer_reads(CloudTxn& txn, Witness& witness, JobPart part, const LeaseClock& clock, CloudAnswers& out) {
  witness.begin();
  const auto is_offer = [](const JobAsk& each) { return std::holds_alternative<HistoryOffer>(each.ask->what); };
  if (std::ranges::any_of(part, is_offer)) out.began_anew = began_anew(txn);
  for (const auto& [ask, unused] : part) {
    if (!writes(*ask)) answer_lease(txn, witness, *ask, clock, out);
    if (const auto* offer = std::get_if<HistoryOffer>(&ask->what)) answer_offer(txn, *ask, *offer, out);
    if (const auto* fetch = std::get_if<Fetch>(&ask->what)) answer_fetch(txn, *ask, *fetch, out);
    if (const auto* pull = std::get_if<Pull>(&ask->what)) answer_pull(txn, *ask, *pull, out);
  }
}

}  // namespace

Result<CloudAnswers> run_part(CloudStore& store, Witness& witness, const CloudJob& job, JobPart part,
                              const LeaseClock& clock) {
  CloudAnswers written, read;
  const auto changes = [](const JobAsk& each) { return writes(*each.ask); };
  if (std::ranges::any_of(part, changes)) {
    auto done = store.write([&](CloudTxn& txn) -> Result<void> {
      written = {};
      take_writes(txn, witness, job, part, clock, written);
      written.changed = txn.announced();
      return {};
    });
    if (!done) return tl::unexpected(done.error());
    witness.committed();
  }
  if (!std::ranges::all_of(part, changes)) {
    auto done = store.read([&](CloudTxn& txn) -> Result<void> {
      read = {};
      return answer_reads(txn, witness, part, clock, read), Result<void>();
    });
    if (!done) return tl::unexpected(done.error());
    witness.committed();
  }
  written.add(std::move(read));
  return written;
}

}  // namespace tillsync
