// The way of a sale. Callers that wait for it borrow the core, flush in their own thread, and leave the rest to the
// core's; those that do not leave all of it to the core's, unless one that waits takes theirs along, so that it
// overtakes none.
#include "transport/clock.hpp"
#include "transport/till_runtime.hpp"

namespace tillsync {

namespace {
constexpr char kShuttingDown[] = "this till is shutting down: nothing was recorded";
}  // namespace

Result<Receipt> TillRuntime::record(const OpDraft& draft) {
  auto valid = ValidDraft::of(draft);
  if (!valid) return tl::unexpected(valid.error());
  return callers_.record(std::move(*valid));
}

void TillRuntime::record(const OpDraft& draft, std::function<void(Result<Receipt>)> done) {
  auto valid = ValidDraft::of(draft);
  if (!valid) {
    return post([error = std::move(valid.error()), done = std::move(done)] { done(tl::unexpected(error)); });
  }
  const std::lock_guard lock(handed_over_mutex_);
  handed_over_.emplace_back(std::move(*valid), std::move(done));
  if (handed_over_.size() == handing_over_.expected()) {
    post([this] { record_handed_over(); });
  } else if (handed_over_.size() == 1) {
    post([this] { record_soon(); });
  }
}

// The others of a crowd are on their way; it need not be as large as the last ones.
void TillRuntime::record_soon() {
  hand_over_.expires_after(Crowd::kLongestWait);
  hand_over_.async_wait([this](asio::error_code error) {
    const Held held(core_);
    if (!error) record_handed_over();
  });
}

void TillRuntime::record_handed_over() {
  hand_over_.cancel();
  Drafts drafts = take_handed_over();
  if (drafts.empty()) return;  // somebody took them along
  if (!stopping_) return carry_out(node_->on_record(read_clock(), std::move(drafts)));
  for (const auto& [to, draft] : drafts) receipts_.extract(to.value).mapped()(fail(ErrorKind::closed, kShuttingDown));
}

TillRuntime::Drafts TillRuntime::take_handed_over() {
  const std::lock_guard lock(handed_over_mutex_);
  Drafts drafts;
  drafts.reserve(handed_over_.size());
  for (auto& [draft, done] : handed_over_) {
    drafts.emplace_back(ReplyTo{next_reply_++}, std::move(draft));
    receipts_.emplace(drafts.back().first.value, std::move(done));
  }
  if (!drafts.empty()) handing_over_.came(drafts.size());
  handed_over_.clear();
  return drafts;
}

void TillRuntime::serve(const std::vector<GroupCommit::Caller*>& callers) {
  std::optional<std::vector<Bytes>> batch;
  {
    const Held held(core_);
    Drafts drafts = stopping_ ? Drafts() : take_handed_over();
    for (GroupCommit::Caller* each : callers) {
      if (stopping_) {
        callers_.finish(*each, fail(ErrorKind::closed, kShuttingDown));
        continue;
      }
      drafts.emplace_back(ReplyTo{next_reply_++}, std::move(each->draft));
      waiting_callers_.emplace(drafts.back().first.value, each);
    }
    Actions actions = node_->on_record(read_clock(), std::move(drafts));
    batch = std::exchange(actions.append, std::nullopt);
    answer_callers(actions);
    owe(std::move(actions));
  }
  if (!batch) return;  // another flush is under way; theirs follows it
  auto outcome = flush(*batch);
  const Held held(core_);
  Actions actions = node_->on_appended(read_clock(), std::move(outcome), [this, &callers](Actions& early) {
    if (answer_callers(early) && callers.size() > 1) callers_.ring();
  });
  owe(std::move(actions));
}

bool TillRuntime::answer_callers(Actions& actions) {
  return std::erase_if(actions.replies, [this](Actions::Reply& reply) {
           auto found = waiting_callers_.extract(reply.to.value);
           if (found) callers_.finish(*found.mapped(), std::move(reply.result));
           return !found.empty();
         }) > 0;
}

// The core's thread is not woken for nothing: it would only get in the way of the next sale.
void TillRuntime::owe(Actions actions) {
  if (actions.none() && node_->next_wake(read_clock()) >= armed_for_) return;
  owed_.push_back(std::move(actions));
  post([this] { pay(); });
}

Result<JournalPosition> TillRuntime::flush(const std::vector<Bytes>& batch) {
  const std::lock_guard lock(journal_mutex_);
  const Instant begun = read_clock().mono;
  auto outcome = journal_->append(batch);
  flush_times_.add(read_clock().mono - begun);
  return outcome;
}

}  // namespace tillsync
