#include "transport/till/till_recorder.hpp"

#include "transport/base/clock.hpp"

namespace tillsync {

namespace {

constexpr Duration kLeaving = seconds(2);  // they have their answer, and only have to wake up
constexpr char kShuttingDown[] = "this till is shutting down: nothing was recorded";

void refuse(const std::vector<GroupCommit::Caller*>& callers) {
  GroupCommit::Answers answers;
  for (GroupCommit::Caller* each : callers) answers.emplace_back(each, fail(ErrorKind::closed, kShuttingDown));
  GroupCommit::answer(std::move(answers));
}

}  // namespace

Result<Receipt> TillRecorder::record(const OpDraft& draft) {
  auto valid = ValidDraft::of(draft);
  if (!valid) return tl::unexpected(valid.error());
  ++inside_;
  auto receipt = group_.record(std::move(*valid));
  --inside_;  // and nothing of this object is touched any more
  return receipt;
}

TillRecorder::~TillRecorder() {
  const Instant until = read_clock().mono + kLeaving;
  while (inside_ > 0 && read_clock().mono < until) std::this_thread::yield();
}

void TillRecorder::serve(const std::vector<GroupCommit::Caller*>& callers) {
  std::optional<std::vector<Bytes>> batch;
  std::optional<CoreLoop::Expected> expected;  // others' sales may follow this flush
  {
    const CoreLoop::Held held(loop_.lock());
    if (loop_.stopping()) return refuse(callers);
    expected.emplace(loop_.expecting());
    Drafts drafts = take_handed_over();
    for (GroupCommit::Caller* each : callers) {
      drafts.emplace_back(loop_.next_reply(), std::move(each->draft));
      waiting_.emplace(drafts.back().first.value, each);
    }
    Actions actions = loop_.core().on_record(read_clock(), std::move(drafts));
    batch = std::exchange(actions.append, std::nullopt);
    answer_waiting(actions);
    loop_.enqueue(std::move(actions));
  }
  if (!batch) return;  // another flush is under way; theirs follows it
  auto outcome = disks_.flush(*batch);
  const CoreLoop::Held held(loop_.lock());
  Actions actions =
      loop_.core().on_appended(read_clock(), std::move(outcome), [this](Actions& early) { answer_waiting(early); });
  loop_.enqueue(std::move(actions));
}

void TillRecorder::record(const OpDraft& draft, Done done) {
  auto valid = ValidDraft::of(draft);
  if (!valid) {
    return loop_.post([error = std::move(valid.error()), done = std::move(done)] { done(tl::unexpected(error)); });
  }
  const std::lock_guard lock(handed_over_mutex_);
  handed_over_.emplace_back(std::move(*valid), std::move(done));
  if (handed_over_.size() == handing_over_.expected()) {
    loop_.post([this] { record_handed_over(); });
  } else if (handed_over_.size() == 1) {
    loop_.post([this] { record_soon(); });
  }
}

// The others of a crowd are on their way; it need not be as large as the last ones.
void TillRecorder::record_soon() {
  hand_over_.expires_after(BatchPredictor::kLongestWait);
  hand_over_.async_wait([this](asio::error_code error) {
    const CoreLoop::Held held(loop_.lock());
    if (!error || loop_.stopping()) record_handed_over();
  });
}

void TillRecorder::record_handed_over() {
  hand_over_.cancel();
  Drafts drafts = take_handed_over();
  if (drafts.empty()) return;  // somebody took them along
  if (!loop_.stopping()) return loop_.carry_out(loop_.core().on_record(read_clock(), std::move(drafts)));
  for (const auto& [to, draft] : drafts) receipts_.extract(to.value).mapped()(fail(ErrorKind::closed, kShuttingDown));
}

TillRecorder::Drafts TillRecorder::take_handed_over() {
  const std::lock_guard lock(handed_over_mutex_);
  Drafts drafts;
  drafts.reserve(handed_over_.size());
  for (auto& [draft, done] : handed_over_) {
    drafts.emplace_back(loop_.next_reply(), std::move(draft));
    receipts_.emplace(drafts.back().first.value, std::move(done));
  }
  if (!drafts.empty()) handing_over_.came(drafts.size());
  handed_over_.clear();
  return drafts;
}

void TillRecorder::act(Actions& actions) {
  answer_waiting(actions);
  if (actions.append) append(std::move(*actions.append));
  call_back(actions);
}

void TillRecorder::append(std::vector<Bytes> batch) {
  asio::post(disks_.journal_lane(), [this, batch = std::move(batch), expected = loop_.expecting()] {
    auto outcome = disks_.flush(batch);
    loop_.post([this, outcome = std::move(outcome)]() mutable {
      loop_.carry_out(loop_.core().on_appended(read_clock(), std::move(outcome), [this](Actions& early) {
        answer_waiting(early);
        call_back(early);
      }));
    });
  });
}

void TillRecorder::answer_waiting(Actions& actions) {
  GroupCommit::Answers answers;
  std::erase_if(actions.replies, [&](Actions::Reply& reply) {
    const auto found = waiting_.extract(reply.to.value);
    if (found) answers.emplace_back(found.mapped(), std::move(reply.result));
    return !found.empty();
  });
  GroupCommit::answer(std::move(answers));
}

void TillRecorder::call_back(Actions& actions) {
  for (Actions::Reply& reply : std::exchange(actions.replies, {})) {
    if (auto found = receipts_.extract(reply.to.value)) found.mapped()(std::move(reply.result));
  }
}

}  // namespace tillsync
