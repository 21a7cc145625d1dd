/* How a branch moves to op format 2 and back: docs/decisions/0032-rolling-out-format-2.md.
   Run in a folder of its own:
     spin -a rollout.pml && cc -O1 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
   Each of these defects must make it fail: -DNO_GATE, -DNO_MARK_FOR_COPIES, -DEARLY_BACK (given to spin). */
#define N 3
bool newer[N];      /* runs the release that reads format 2 */
bool marked[N];     /* its folder refuses the older release */
bool writes[N];     /* records in format 2 */
bool says[N];       /* has signed Reads for format 2 */
bool knows[9];      /* knows[i * N + j]: i holds that statement of j */
bool lost[N], exempt[N];
byte own1[N], own2[N];  /* ops that the cloud lacks, by format */
byte copy2[9];      /* copy2[h * N + i]: ops of i in format 2 among the replicas of h */
bool cloud;         /* the cloud runs the newer release, and has signed */
byte updates = 4, backs = 1, ops = 2, recorded, held;

#ifdef NO_GATE
#define gate(h) true
#else
#define gate(h) newer[h]
#endif
#ifdef NO_MARK_FOR_COPIES
#define mark_for_copy(h) marked[h]
#else
#define mark_for_copy(h) true
#endif
#define copies(h) (copy2[h * N] + copy2[h * N + 1] + copy2[h * N + 2])
#ifdef EARLY_BACK
#define all_sent(i) true
#else
#define all_sent(i) (own2[i] == 0 && copies(i) == 0)
#endif
#define heard(i, j) (i == j || exempt[j] || knows[i * N + j])
#define all_read(i) (cloud && heard(i, 0) && heard(i, 1) && heard(i, 2))
#define readable(i) (newer[i] || lost[i] || (!writes[i] && own2[i] == 0 && copies(i) == 0))
#define kept (own1[0] + own1[1] + own1[2] + own2[0] + own2[1] + own2[2])
#define forget(i) copy2[i] = 0; copy2[N + i] = 0; copy2[2 * N + i] = 0

#define TILL(i) \
  :: atomic { !newer[i] && !lost[i] && updates > 0 -> updates--; newer[i] = true } \
  :: atomic { newer[i] && !says[i] && !lost[i] -> says[i] = true } \
  :: atomic { !lost[0] && !lost[1] && !lost[2] -> lost[i] = true } \
  :: atomic { lost[i] && !exempt[i] -> exempt[i] = true } \
  /* the older release starts, if the folder lets it; what it signed stays known */ \
  :: atomic { newer[i] && !marked[i] && !lost[i] && backs > 0 -> backs--; newer[i] = false } \
  :: atomic { newer[i] && says[i] && !marked[i] && !lost[i] && all_read(i) -> marked[i] = true } \
  :: atomic { newer[i] && says[i] && marked[i] && !writes[i] && !lost[i] && all_read(i) -> writes[i] = true } \
  :: atomic { !lost[i] && ops > 0 -> ops--; recorded++; if :: writes[i] -> own2[i]++ :: else -> own1[i]++ fi } \
  :: atomic { !lost[i] && own1[i] > 0 -> held = held + own1[i]; own1[i] = 0 } \
  :: atomic { !lost[i] && own2[i] > 0 && cloud -> held = held + own2[i]; own2[i] = 0; forget(i) } \
  /* `rollout back`, then the older release */ \
  :: atomic { newer[i] && marked[i] && !lost[i] && backs > 0 && all_sent(i) -> \
       backs--; writes[i] = false; says[i] = false; marked[i] = false; newer[i] = false }

#define PAIR(i, h) \
  :: atomic { newer[i] && !lost[i] && says[h] && !knows[i * N + h] -> knows[i * N + h] = true } \
  /* i sends its ops of format 2 to h, which marks its folder and keeps a copy */ \
  :: atomic { !lost[i] && !lost[h] && own2[i] > copy2[h * N + i] && gate(h) -> \
       marked[h] = mark_for_copy(h); copy2[h * N + i] = own2[i] } \
  :: atomic { !lost[h] && newer[h] && cloud && copy2[h * N + i] > 0 -> \
       held = held + copy2[h * N + i]; own2[i] = own2[i] - copy2[h * N + i]; forget(i) }

active proctype world() {
  do
  :: atomic { !cloud -> cloud = true }
  TILL(0) TILL(1) TILL(2)
  PAIR(0, 1) PAIR(0, 2) PAIR(1, 0) PAIR(1, 2) PAIR(2, 0) PAIR(2, 1)
  :: else -> break
  od;
  /* nothing more can happen: who could write format 2 does, and all but a lost till's own ops are in the cloud */
  assert((lost[0] || own1[0] + own2[0] == 0) && (lost[1] || own1[1] + own2[1] == 0) && (lost[2] || own1[2] + own2[2] == 0));
  assert(!(newer[0] || lost[0]) || !(newer[1] || lost[1]) || !(newer[2] || lost[2]) ||
         ((lost[0] || writes[0]) && (lost[1] || writes[1]) && (lost[2] || writes[2])));
}
/* never: a release that can't read format 2 beside an op of it, and never an op that is nowhere or twice */
active proctype judge() {
end: atomic { !readable(0) || !readable(1) || !readable(2) || recorded != held + kept -> assert(false) }
}
