// What a till or a cloud answers: a struct an answer, and the things that answers are made of. Field names are listed
// in docs/running-a-shop.md and docs/monitoring.md; docs/schema/ has them as JSON Schema.
#pragma once

#include "transport/api/answers_cloud.hpp"
#include "transport/api/answers_conflicts.hpp"
#include "transport/api/answers_till.hpp"
