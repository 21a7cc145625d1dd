#include "tools/demo/feed.hpp"

#include <chrono>

namespace tillsync::demo {

namespace {

constexpr std::size_t kWindow = 16;  // asked and not answered yet: as if several cashiers shared the till

Json question_of(OpDraft draft, const std::string& cashier) {
  draft.cashier = cashier;
  return api::question_of(api::RecordRequest{{}, std::move(draft)});
}

}  // namespace

Feed::Feed(Fleet& fleet, const std::vector<OpDraft>& ops, double ops_a_second)
    : fleet_(fleet),
      questions_(fleet.tills()),
      keys_(fleet.tills()),
      rate_(ops_a_second / static_cast<double>(fleet.tills())),
      paused_(fleet.tills()) {
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const std::size_t till = i % fleet.tills();
    questions_[till].push_back(question_of(ops[i], "cashier-" + std::to_string(till + 1)));
    keys_[till].push_back(ops[i].key);
  }
  for (std::size_t till = 0; till < fleet.tills(); ++till) threads_.emplace_back([this, till] { run(till); });
}

Feed::~Feed() { stop(); }

void Feed::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Feed::release(double share) { share_ = share; }

std::size_t Feed::released() const {
  std::size_t sum = 0;
  for (const auto& each : questions_) sum += static_cast<std::size_t>(share_ * static_cast<double>(each.size()));
  return sum;
}

void Feed::pause(std::size_t till) { paused_[till] = true; }
void Feed::resume(std::size_t till) { paused_[till] = false; }

std::optional<std::string> Feed::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Feed::run(std::size_t till) {
  std::size_t next = 0;
  while (!stopping_ && next < questions_[till].size()) {
    try {
      while (paused_[till] && !stopping_) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (stopping_) return;
      ControlClient client = fleet_.till(till).connect();
      while (!stopping_ && !paused_[till] && next < questions_[till].size()) {
        if (!send_some(till, client, next))
          break;  // killed in between: what was not answered is asked again, under the same keys
      }
    } catch (const client::Failure& failure) {
      if (paused_[till]) continue;
      const std::lock_guard lock(mutex_);
      failure_ = failure.sentence;
      return;
    }
  }
}

bool Feed::send_some(std::size_t till, ControlClient& client, std::size_t& next) {
  const auto free = static_cast<std::size_t>(share_ * static_cast<double>(questions_[till].size()));
  const std::size_t n = std::min(kWindow, free - std::min(free, next));
  const auto due = std::chrono::steady_clock::now() +
                   std::chrono::duration<double>(static_cast<double>(std::max<std::size_t>(n, 1)) / rate_);
  for (std::size_t i = 0; i < n; ++i) client.send(questions_[till][next + i]);
  for (std::size_t i = 0; i < n; ++i) {
    auto answer = client.receive();  // in the order of the questions: one till, one flush after the other
    if (!answer) return false;
    if (!answer->second)
      throw client::Failure{fleet_.till(till).name() + " refused a sale: " + answer->second.error().message};
    ++next, ++recorded_;
  }
  std::this_thread::sleep_until(due);
  return true;
}

}  // namespace tillsync::demo
