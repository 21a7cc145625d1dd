// How a roster changes: a branch of four tills, three versions of its roster, one vote more or less in each.
// What is modelled and what is not: README.md. Each WEAK_ macro weakens one rule, and the model must then fail.
// Spans of time are measured by the clock that is worst for them (lease.pml shows why that is enough): a lease of L ends
// L after its request was sent, or earlier, and a promise L after the request was received.

#ifndef L
#define L 1
#endif
#ifndef N
#define N 3                   // tills; 0 and 1 want to host
#endif
#ifndef FIRST
#define FIRST 1 .. 7          // who votes in version 1, a set: any of the first three
#endif
#define CANDIDATES 2
#define TERMS 2
#define VERSIONS 3

#define BIT(i) (1 << (i))
#define HAS(mask, i) (((mask) >> (i)) & 1)
#define SIZE(mask) (HAS(mask, 0) + HAS(mask, 1) + HAS(mask, 2) + HAS(mask, 3))
#define MOST(part, all) (2 * SIZE((part) & (all)) > SIZE(all))

// The tenant.
byte newest = 1;
byte votes[VERSIONS + 1];     // who votes in a version, a set
bit spreading;                // a till has seen that most of the newest version's voters hold it durably ...
byte spread_left;             // ... and the time since is counted

byte version[N];
#ifdef CRASHES
byte stored_version[N];       // a roster is followed as soon as it arrives, and is on the disk a moment later
#else
#define stored_version version
#endif
byte promised_term[N], promised_to[N], bound[N];  // stored before a grant is spoken: lease.pml
// A request is in the term that the candidate has promised itself, and in the version that it follows.
byte ask_left[CANDIDATES];
byte grants[CANDIDATES];      // who has granted, a set
byte lease_left[CANDIDATES];

#ifdef WEAK_ANY_VERSION
#define SAME_VERSION(g, c) HAS(votes[version[g]], c)
#else
#define SAME_VERSION(g, c) (version[g] == version[c])
#endif

#define MAY_PROMISE(g, c, t) \
  ((promised_term[g] > 0 && promised_to[g] == (c) && (t) >= promised_term[g]) || ((t) > promised_term[g] && bound[g] == 0))

inline go_idle(c) {
  ask_left[c] = 0;
  grants[c] = 0
}

inline promise(g, c, t) {
  promised_term[g] = t;
  promised_to[g] = c;
  bound[g] = L;
  grants[c] = grants[c] | BIT(g)
}

inline ask(c, t) {
  go_idle(c);
  ask_left[c] = L;
  promise(c, c, t)
}

inline win(c) {
  assert(c == 0 || lease_left[0] == 0);  // one exclusive holder at most
  assert(c == 1 || lease_left[1] == 0);
  lease_left[c] = ask_left[c];
  go_idle(c)
}

inline take_roster(i, v) {
  version[i] = v;
  if
  :: i < CANDIDATES ->
#ifndef WEAK_TWO_VERSIONS
    go_idle(i);  // grants of two versions are never counted together
#endif
    if
    :: !HAS(votes[v], i) -> lease_left[i] = 0  // a removed host steps down
    :: else
    fi
  :: else
  fi
}

#ifdef CRASHES
inline crash(i) {
  version[i] = stored_version[i];
  bound[i] = L;
  if
  :: i < CANDIDATES -> go_idle(i); lease_left[i] = 0
  :: else
  fi
}
#endif

#define HEAR(g, c)                                                                                          \
  :: d_step { ask_left[c] > 0 && (c) != (g) && SAME_VERSION(g, c) && MAY_PROMISE(g, c, promised_term[c]) -> \
      promise(g, c, promised_term[c]) }
#define ROSTER_ARRIVES(i, v) :: d_step { version[i] < (v) && newest >= (v) -> take_roster(i, v) }
#define ASK(c, t)                                                                                        \
  :: d_step { ask_left[c] == 0 && HAS(votes[version[c]], c) && MAY_PROMISE(c, c, t) &&                    \
      ((t) > promised_term[c] || lease_left[c] > 0) -> ask(c, t) }

proctype Till(byte me) {
  do
  HEAR(me, 0)
  HEAR(me, 1)
  ROSTER_ARRIVES(me, 2)
  ROSTER_ARRIVES(me, 3)
#ifdef CRASHES
  :: d_step { version[me] != stored_version[me] -> stored_version[me] = version[me] }
  :: d_step { true -> crash(me) }
#endif
  od
}

proctype Candidate(byte me) {
  do
  ASK(me, 1)
  ASK(me, 2)
  :: d_step { ask_left[me] > 0 && MOST(grants[me], votes[version[me]]) -> win(me) }
  :: d_step { lease_left[me] > 0 -> lease_left[me] = 0 }  // its clock was not the slowest
  od
}

#ifdef WEAK_HELD_DURABLY
#define HOLDS(i, v) (version[i] >= (v) -> BIT(i) : 0)
#else
#define HOLDS(i, v) (stored_version[i] >= (v) -> BIT(i) : 0)
#endif
#if N > 3
#define HOLDERS(v) (HOLDS(0, v) | HOLDS(1, v) | HOLDS(2, v) | HOLDS(3, v))
#else
#define HOLDERS(v) (HOLDS(0, v) | HOLDS(1, v) | HOLDS(2, v))
#endif

#ifdef WEAK_SPREAD_TIME
#define SPREAD_TIME 0
#else
#define SPREAD_TIME L
#endif

// Version 1 was nobody's before it was handed out; version 2 may follow whenever it spreads.
#if defined(WEAK_SPREAD)
#define MAY_ISSUE true
#else
#define MAY_ISSUE (spreading && spread_left == 0)
#endif

inline issue(changed) {
  newest++;
  votes[newest] = votes[newest - 1] ^ changed;
  spreading = 0;
  spread_left = 0
}

#define CHANGE(changed) \
  :: d_step { newest < VERSIONS && MAY_ISSUE && (votes[newest] ^ (changed)) != 0 -> issue(changed) }

proctype Tenant() {
  do
  :: d_step { !spreading && newest < VERSIONS && MOST(HOLDERS(newest), votes[newest]) ->
      spreading = 1; spread_left = SPREAD_TIME }
  CHANGE(1)
  CHANGE(2)
  CHANGE(4)
#if N > 3
  CHANGE(8)
#endif
#ifdef WEAK_ONE_VOTE
  CHANGE(3)
  CHANGE(6)
#endif
  od
}

#define LESS(timer) timer = (timer > 0 -> timer - 1 : 0)

#define CLOCK(c)                          \
  LESS(lease_left[c]);                          \
  LESS(ask_left[c]);                            \
  grants[c] = (ask_left[c] > 0 -> grants[c] : 0)

proctype Time() {
  do
  :: d_step { true ->
      LESS(spread_left);
      LESS(bound[0]); LESS(bound[1]); LESS(bound[2]);
#if N > 3
      LESS(bound[3]);
#endif
      CLOCK(0); CLOCK(1) }
  od
}

#define BEGIN(i) version[i] = 1; stored_version[i] = 1
init {
  byte first;
  atomic {
    select(first : FIRST);
    votes[1] = first;
    first = 0;
    BEGIN(0); BEGIN(1); BEGIN(2);
    run Till(0);
    run Till(1);
    run Till(2);
#if N > 3
    BEGIN(3);
    run Till(3);
#endif
    run Candidate(0);
    run Candidate(1);
    run Tenant();
    run Time()
  }
}
