#!/bin/bash
# Checks the models with spin, and that each weakened rule makes one fail: docs/models/check.sh [--all]
# --all also completes the larger ones. Needs spin and gcc. Exits non-zero when a model fails, is not completed, or a
# weakened rule is not found.
set -u
here=$(cd "$(dirname "$0")" && pwd)
command -v spin >/dev/null && command -v gcc >/dev/null || { echo "needs spin and gcc (Debian: spin, gcc)" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'  # processor time: what else the machine does takes no part
bad=0

search() {
  spin -a "$@" >spin.out 2>&1 && gcc -O1 -w -DSAFETY -DMEMLIM=1900 -o pan pan.c >gcc.out 2>&1 &&
    timeout 900 ./pan -m1000000 -w22 >pan.out 2>&1
}

# check EXPECTED MODEL DEFINITIONS...: "holds", completed and without an error, or "found", with one.
check() {
  local expected=$1 model=$2 result="did not run" states seconds
  shift 2
  cd "$work" && rm -f ./*
  { time search "$@" "$here/$model.pml"; } 2>seconds
  if grep -q 'errors: [1-9]' pan.out 2>/dev/null; then
    result=found
  elif grep -q 'errors: 0' pan.out 2>/dev/null; then
    result=holds
    ! grep -qE 'Search not completed|max search depth too small|out of memory' pan.out || result="not completed"
  fi
  states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' pan.out 2>/dev/null)
  seconds=$(awk '{ print $1 + $2 }' seconds)
  [ "$result" = "$expected" ] || { bad=1; result="$result, NOT $expected"; }
  printf '%-8s %-52s %9s %7.1f  %s\n' "$model" "${*:-as it is}" "${states:--}" "$seconds" "$result"
}
printf '%-8s %-52s %9s %7s  %s\n' model with states seconds result
w=-DWORST_CLOCKS
check holds lease $w
check holds lease $w -DL=2
check holds lease $w -DRESTORED=2
check holds roster
check holds witness
check holds witness -DL=2
check holds credit
check holds rollout
if [ "${1:-}" = --all ]; then
  check holds lease
  check holds lease $w -DCANDIDATES=3
  check holds lease $w -DL=3
  check holds roster -DCRASHES
  check holds roster -DN=4
fi

for rule in LEASE_TIME COUNT_FROM_SENDING ONE_CANDIDATE OLD_TERM TERM_TWICE GRANT_DURABLE REQUEST_DURABLE OWN_PROMISE \
  MAJORITY NONCE WAIT_AFTER_RESTART STOP_BEFORE_RELEASE RELEASE_UNSPOKEN RELEASE_HOLDER USE_WITHOUT_CLOCK SUSPEND; do
  check found lease $w -DWEAK_$rule
done
check found lease $w -DL=3 -DWEAK_PROMISE_TIME
check found lease $w -DL=2 -DWEAK_RESTARTED_HOLDER
check found lease $w -DTERMS=3 -DWEAK_RELEASE_TERM
check found lease $w -DRESTORED=2 -DWEAK_WAIT_AFTER_RESTORE
for rule in SPREAD SPREAD_TIME ONE_VOTE; do check found roster -DWEAK_$rule; done
check found roster -DCRASHES -DWEAK_HELD_DURABLY
check found roster -DN=4 -DFIRST=7..7 -DWEAK_ANY_VERSION
check holds roster -DWEAK_TWO_VERSIONS  # not needed for safety: README.md
for rule in CLOCK_OF_THE_JOB CONDITIONAL_UPDATE FORGET_WHAT_FAILED GRANT_AFTER_COMMIT NONCE RESTART WATCH; do
  check found witness -DWEAK_$rule
done
check found witness -DL=2 -DWEAK_RENEWAL_IN_THE_ROW
for rule in CHARGE_DROPPED NO_CREDIT_BY_ITSELF NO_RECEIVED; do check found credit -D$rule; done
for rule in NO_GATE NO_MARK_FOR_COPIES EARLY_BACK; do check found rollout -D$rule; done
exit $bad
