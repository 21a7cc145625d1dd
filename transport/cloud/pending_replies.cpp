#include "transport/cloud/pending_replies.hpp"

namespace tillsync {

ReplyTo PendingReplies::add(Done done) {
  const ReplyTo to{++last_};
  auto patience = std::make_unique<asio::steady_timer>(io_, kPatience);
  patience->async_wait([this, to](asio::error_code error) {
    if (error) return;
    answer({to, fail(ErrorKind::timed_out,
                     "the cloud's database does not answer: this is carried out when it works again, unless the cloud "
                     "is stopped before; look then whether it was")});
  });
  waiting_.emplace(to, Waiting{std::move(done), std::move(patience)});
  return to;
}

void PendingReplies::answer(CloudReply reply) {
  const auto waiting = waiting_.extract(reply.to);
  if (!waiting.empty()) waiting.mapped().done(std::move(reply.outcome));
}

}  // namespace tillsync
