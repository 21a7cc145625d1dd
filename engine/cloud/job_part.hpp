// What of a job is carried out in one transaction.
#pragma once

#include <span>

#include "engine/cloud/cloud_job.hpp"

namespace tillsync {

struct JobAsk {
  const CloudAsk* ask;
  const ReadPush* push = nullptr;  // what the ask brings, if it is a push; or a part of it
};
// What did not come over a connection: it is answered by a reply.
inline bool wants_reply(const CloudAsk& ask) {
  return std::holds_alternative<ImportRows>(ask.what) || std::holds_alternative<SettleConflict>(ask.what) ||
         std::holds_alternative<KeepRoster>(ask.what);
}
using JobPart = std::span<const JobAsk>;

// All of it or nothing. Errors: the store's.
Result<CloudAnswers> run_part(CloudStore& store, Witness& witness, const CloudJob& job, JobPart part,
                              const LeaseClock& clock);

}  // namespace tillsync
