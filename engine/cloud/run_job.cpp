// A job is one transaction, unless the database refuses something in it for good. Then the job is halved until what is
// refused is found: an op becomes a dead letter, anything else is answered with the error. The rest goes through.
#include <algorithm>
#include <array>
#include <iterator>

#include "engine/cloud/job_part.hpp"
#include "storage/model/cloud_store.hpp"

namespace tillsync {

void CloudAnswers::add(CloudAnswers more) {
  std::ranges::move(more.answers, std::back_inserter(answers));
  std::ranges::move(more.replies, std::back_inserter(replies));
  std::ranges::move(more.refused, std::back_inserter(refused));
  std::ranges::move(more.waiting, std::back_inserter(waiting));
  counts.add(more.counts);
  changed.merge(more.changed);
  if (more.began_anew) began_anew = std::move(more.began_anew);
}

namespace {

class JobRun {
 public:
  JobRun(CloudStore& store, Witness& witness, const CloudJob& job, const LeaseClock& clock)
      : store_(store), witness_(witness), job_(job), clock_(clock) {}

  Result<CloudAnswers> all() && {
    const std::vector<JobAsk> asks = readable();
    if (auto done = run(asks); !done) return tl::unexpected(done.error());
    return std::move(out_);
  }

 private:
  // Pushes that are no chain, or more than their key may bring, are refused.
  std::vector<JobAsk> readable() {
    std::vector<JobAsk> asks;
    const auto settles = [](const OpenedOp& each) { return each.op.kind == OpKind::resolution; };
    for (const CloudAsk& ask : job_.asks) {
      const auto* verified = std::get_if<VerifiedPush>(&ask.what);
      if (verified == nullptr) {
        asks.push_back({&ask});
      } else if (const auto& read = verified->reading->read(); !read) {
        out_.refused.push_back({ask.from, ask.branch, Refused::bad_signature, read.error().message});
      } else if (verified->settles_only && !std::ranges::all_of(read->push.ops, settles)) {
        out_.refused.push_back({ask.from, ask.branch, Refused::not_allowed, kMayNotPush});
      } else {
        asks.push_back({&ask, &*read});
      }
    }
    return asks;
  }

  Result<void> run(JobPart part) {
    if (part.empty()) return {};
    auto done = run_part(store_, witness_, job_, part, clock_);
    if (done) return out_.add(std::move(*done)), Result<void>();
    if (!is_lasting(done.error().kind)) return tl::unexpected(done.error());
    if (part.size() > 1) {
      const auto half = part.size() / 2;
      if (auto first = run(part.first(half)); !first) return first;
      return run(part.subspan(half));
    }
    if (part[0].push == nullptr) return refuse(*part[0].ask, done.error()), Result<void>();
    CloudAnswers before = std::exchange(out_, {});
    auto pushed = push(part[0], 0, part[0].push->push.ops.size());
    if (!out_.answers.empty()) out_.answers.erase(out_.answers.begin(), out_.answers.end() - 1);  // one for one push
    if (!out_.refused.empty()) out_.answers.clear();
    std::swap(before, out_);
    out_.add(std::move(before));
    return pushed.map([](bool) {});
  }

  // The ops of a push from `first` on, before `end`; the cloud has those before. False when it can't have the others.
  Result<bool> push(const JobAsk& whole, std::size_t first, std::size_t end) {
    ReadPush ops = *whole.push;
    ops.push.ops.resize(end);
    ops.ops.resize(end);
    auto done = run_part(store_, witness_, job_, std::array{JobAsk{whole.ask, &ops}}, clock_);
    const bool alone = end - first == 1;
    if (!done && is_lasting(done.error().kind) && alone) {
      ops.ops.back().unstorable = done.error().message;
      done = run_part(store_, witness_, job_, std::array{JobAsk{whole.ask, &ops}}, clock_);
    }
    if (done) return out_.add(std::move(*done)), true;
    if (!is_lasting(done.error().kind)) return tl::unexpected(done.error());
    if (alone) return refuse(*whole.ask, done.error()), false;
    const std::size_t middle = first + (end - first) / 2;
    auto front = push(whole, first, middle);
    return front && *front ? push(whole, middle, end) : front;
  }

  void refuse(const CloudAsk& ask, const Error& why) {
    if (wants_reply(ask)) return out_.replies.push_back({ask.reply, tl::unexpected(why)});
    const auto* lease = std::get_if<LeaseAsk>(&ask.what);
    const auto* command = lease == nullptr ? nullptr : std::get_if<Command>(&lease->what);
    if (command != nullptr) return out_.answers.push_back({ask.from, Commanded{command->nonce, why.message}});
    out_.refused.push_back({ask.from, ask.branch, Refused::unstorable, why.for_log()});
  }

  CloudStore& store_;
  Witness& witness_;
  const CloudJob& job_;
  const LeaseClock& clock_;
  CloudAnswers out_;
};

}  // namespace

Result<CloudAnswers> run_job(CloudStore& store, Witness& witness, const CloudJob& job, const LeaseClock& clock) {
  return JobRun(store, witness, job, clock).all();
}

}  // namespace tillsync
