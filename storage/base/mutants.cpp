#include "storage/base/mutants.hpp"

#ifdef TILLSYNC_MUTANTS
#include <atomic>

namespace tillsync {

namespace {
std::atomic<Mutant> active = Mutant::none;  // of a test build, so that no object needs to carry it
}

bool mutated(Mutant mutant) { return active.load(std::memory_order_relaxed) == mutant; }
void mutate(Mutant mutant) { active = mutant; }

}  // namespace tillsync
#endif
