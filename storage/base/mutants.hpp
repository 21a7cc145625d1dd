// Deliberate defects, to prove that the simulator's rules can see them: `tillsync sim --mutants` in a build that was
// configured with -DTILLSYNC_MUTANTS=ON. In every other build `mutated` is a constant false and nothing of this is
// left.
#pragma once

#include <cstddef>

namespace tillsync {

enum class Mutant {
  none,
  skip_flush,            // a sale is acknowledged before it is flushed
  forget_tail,           // a restart forgets what the journal holds after the last checkpoint
  forget_promise,        // a till forgets its promise when it restarts
  grant_at_once,         // a restarted till grants before what it may have promised has run out
  lease_from_receipt,    // a holder counts its lease from when the grants came
  accept_old_term,       // a grantor grants whatever it is asked
  minority_certificate,  // half of the votes are enough
  never_expire,          // a till believes in a lease that has run out
  row_off_by_one,        // a reader's row watermark is one too high
  resurrect_row,         // a deleted row comes back to life
  forget_duplicates,     // a key takes effect as often as it comes
  apply_out_of_order,    // the cloud takes ops behind a gap
  drop_conflict,         // the cloud tells nobody of a disagreement
  ignore_count,          // a late op counts although the shelf was counted after it
  trust_host,            // what the host holds counts as in the cloud
  prune_unread,          // the host lets go of what it holds before the cloud has it
  ignore_contained,      // a till counts on top of a stock row what the row contains
  skip_reissue,          // after a fork nothing is recorded anew
  trust_anyone,          // a push is believed without its till's signature
  claim_two_disks,       // a till says "on two disks" of what is on its own
  hasty_witness,         // the cloud votes without watching what another process may have promised
  no_fencing,            // the cloud obeys a host that another has followed
  forget_unsent,         // the vault lets go of what the cloud does not hold
  trust_old_word,        // a till believes that a cloud restored from a backup still has all that it had
};

struct NamedMutant {
  Mutant mutant;
  const char* name;
};

#ifdef TILLSYNC_MUTANTS
bool mutated(Mutant mutant);
void mutate(Mutant mutant);  // for the whole process; one at a time
constexpr bool kMutants = true;
#else
constexpr bool mutated(Mutant) { return false; }
inline void mutate(Mutant) {}
constexpr bool kMutants = false;
#endif

inline constexpr NamedMutant kAllMutants[] = {
    {Mutant::skip_flush, "skip_flush"},
    {Mutant::forget_tail, "forget_tail"},
    {Mutant::forget_promise, "forget_promise"},
    {Mutant::grant_at_once, "grant_at_once"},
    {Mutant::lease_from_receipt, "lease_from_receipt"},
    {Mutant::accept_old_term, "accept_old_term"},
    {Mutant::minority_certificate, "minority_certificate"},
    {Mutant::never_expire, "never_expire"},
    {Mutant::row_off_by_one, "row_off_by_one"},
    {Mutant::resurrect_row, "resurrect_row"},
    {Mutant::forget_duplicates, "forget_duplicates"},
    {Mutant::apply_out_of_order, "apply_out_of_order"},
    {Mutant::drop_conflict, "drop_conflict"},
    {Mutant::ignore_count, "ignore_count"},
    {Mutant::trust_host, "trust_host"},
    {Mutant::prune_unread, "prune_unread"},
    {Mutant::ignore_contained, "ignore_contained"},
    {Mutant::skip_reissue, "skip_reissue"},
    {Mutant::trust_anyone, "trust_anyone"},
    {Mutant::claim_two_disks, "claim_two_disks"},
    {Mutant::hasty_witness, "hasty_witness"},
    {Mutant::no_fencing, "no_fencing"},
    {Mutant::forget_unsent, "forget_unsent"},
    {Mutant::trust_old_word, "trust_old_word"},
};

}  // namespace tillsync
