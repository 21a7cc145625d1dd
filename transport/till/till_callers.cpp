// The way of a sale. Callers that wait for it borrow the core, flush in their own thread, and leave the rest to the
// core's; those that do not leave all of it to the core's, unless one that waits takes theirs along, so that it
// overtakes none.
#include "transport/base/clock.hpp"
#include "transport/till/till_runtime.hpp"

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
  hand_over_.expires_after(BatchPredictor::kLongestWait);
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
    if (stopping_) return refuse(callers);
    Drafts drafts = take_handed_over();
    for (GroupCommit::Caller* each : callers) {
      drafts.emplace_back(ReplyTo{next_reply_++}, std::move(each->draft));
      waiting_callers_.emplace(drafts.back().first.value, each);
    }
    Actions actions = node_->on_record(read_clock(), std::move(drafts));
    batch = std::exchange(actions.append, std::nullopt);
    answer_callers(actions);
    enqueue(std::move(actions));
  }
  if (!batch) return;  // another flush is under way; theirs follows it
  auto outcome = flush(*batch);
  const Held held(core_);
  Actions actions =
      node_->on_appended(read_clock(), std::move(outcome), [this](Actions& early) { answer_callers(early); });
  enqueue(std::move(actions));
}

void TillRuntime::refuse(const std::vector<GroupCommit::Caller*>& callers) {
  GroupCommit::Answers answers;
  for (GroupCommit::Caller* each : callers) answers.emplace_back(each, fail(ErrorKind::closed, kShuttingDown));
  GroupCommit::answer(std::move(answers));
}

void TillRuntime::call_back(Actions& actions) {
  for (Actions::Reply& reply : std::exchange(actions.replies, {})) {
    if (auto found = receipts_.extract(reply.to.value)) found.mapped()(std::move(reply.result));
  }
}

void TillRuntime::answer_callers(Actions& actions) {
  GroupCommit::Answers answers;
  std::erase_if(actions.replies, [&](Actions::Reply& reply) {
    const auto found = waiting_callers_.extract(reply.to.value);
    if (found) answers.emplace_back(found.mapped(), std::move(reply.result));
    return !found.empty();
  });
  GroupCommit::answer(std::move(answers));
}

// The core's thread is not woken for nothing: it would only get in the way of the next sale.
void TillRuntime::enqueue(Actions actions) {
  if (actions.none() && node_->next_wake(read_clock()) >= armed_for_) return;
  owed_.push_back(std::move(actions));
  post([this] { drain(); });
}

Result<JournalPosition> TillRuntime::flush(const std::vector<Bytes>& batch) {
  const std::lock_guard lock(journal_mutex_);
  const Instant begun = read_clock().mono;
  auto outcome = files_->journal().append(batch);
  flush_times_.add(read_clock().mono - begun);
  return outcome;
}

}  // namespace tillsync
