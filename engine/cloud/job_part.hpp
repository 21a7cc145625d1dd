// What of a job is carried out in one transaction.
#pragma once

#include <span>

#include "engine/cloud/cloud_job.hpp"

namespace tillsync {

struct JobAsk {
  const CloudAsk* ask;
  const ReadPush* push = nullptr;  // what the ask brings, if it is a push; or a part of it
};
using JobPart = std::span<const JobAsk>;

// All of it or nothing. Errors: the store's.
Result<CloudAnswers> run_part(CloudStore& store, Witness& witness, const CloudJob& job, JobPart part,
                              const LeaseClock& clock);

}  // namespace tillsync
