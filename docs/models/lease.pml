// The exclusive lease of docs/lease.md: N tills with one vote each promise, hold, renew, release, crash and restart.
// What is modelled and what is not: README.md. Each WEAK_ macro weakens one rule, and the model must then fail.

#ifndef L
#define L 1                   // the lease time, in ticks of true time
#endif
#ifndef TERMS
#define TERMS 2
#endif
#ifndef CANDIDATES
#define CANDIDATES 2          // tills 0 .. CANDIDATES - 1 want to host; all of them vote
#endif
#define N 3
#define MAJORITY 2

// rho is 1/2. A till's clock counts half ticks: in one tick of true time a slow clock counts 1, a fast one 3.
#define SLOW 1
#define FAST 3
#define WHOLE_L (2 * L)
#ifdef WEAK_LEASE_TIME
#define LEASE_TIME WHOLE_L
#else
#define LEASE_TIME (1 * L)    // (1 - rho) L
#endif
#ifdef WEAK_PROMISE_TIME
#define PROMISE_TIME WHOLE_L
#else
#define PROMISE_TIME (3 * L)  // (1 + rho) L
#endif

#define IDLE 0
#define STORING 1             // its own promise is on its way to the disk
#define ASKING 2              // its request has been spoken

#define BIT(i) (1 << (i))
#define HAS(mask, i) (((mask) >> (i)) & 1)

// As a grantor: the promise in memory, the clock time that it still binds, and the promise on the disk.
byte promised_term[N], promised_to[N], bound[N];
byte stored_term[N], stored_to[N];
byte storing_for[N];          // 1 + the candidate whose promise is on its way to the disk, or 0
bit answers[N];               // that promise answers the request that the candidate counts grants for
byte granted_term[N];         // the highest that it has spoken a grant for

// As a candidate and holder.
byte stage[N], ballot_term[N], ask_left[N];
byte grants[N];               // who else has granted its newest request, a set
byte lease_term[N], lease_left[N];

// Spoken for good: any of it may arrive late, often, or never. Sets of terms.
byte asked[N], released[N];

byte winner[TERMS + 1];       // 1 + who was elected in a term

#ifdef WEAK_USE_WITHOUT_CLOCK
#define HOLDS(i) (lease_term[i] > 0)
#else
#define HOLDS(i) (lease_left[i] > 0)
#endif

#ifdef WEAK_ONE_CANDIDATE
#define BOUND_TO_OTHERS(g) false
#else
#define BOUND_TO_OTHERS(g) (bound[g] > 0)
#endif

#if defined(WEAK_OLD_TERM)
#define TERM_IS_USED(g, t) false
#elif defined(WEAK_TERM_TWICE)
#define TERM_IS_USED(g, t) ((t) < promised_term[g])
#else
#define TERM_IS_USED(g, t) ((t) <= promised_term[g])
#endif

#define SAME_HOLDER(g, c, t) (promised_term[g] > 0 && promised_to[g] == (c) && (t) >= promised_term[g])
#define MAY_PROMISE(g, c, t) \
  (storing_for[g] == 0 && (SAME_HOLDER(g, c, t) || (!TERM_IS_USED(g, t) && !BOUND_TO_OTHERS(g))))

#ifdef WEAK_OWN_PROMISE
#define MAY_PROMISE_ITSELF(c, t) (storing_for[c] == 0)
#else
#define MAY_PROMISE_ITSELF(c, t) MAY_PROMISE(c, c, t)
#endif

// No answer to an older request of this till counts any more: each request has a nonce of its own.
inline forget_answers(c) {
#ifndef WEAK_NONCE
  grants[c] = 0;
  answers[0] = answers[0] && storing_for[0] != c + 1;
  answers[1] = answers[1] && storing_for[1] != c + 1;
  answers[2] = answers[2] && storing_for[2] != c + 1;
#endif
  skip
}

inline speak_grant(g, c) {
  assert(promised_term[g] >= granted_term[g]);  // terms never fall
  granted_term[g] = promised_term[g];
  grants[c] = grants[c] | BIT(g)
}

inline bind(g, c, t) {
  promised_term[g] = t;
  promised_to[g] = c;
  if
  :: bound[g] < PROMISE_TIME -> bound[g] = PROMISE_TIME
  :: else
  fi
}

// A request of c for term t arrives at g; `newest` when c counts grants for it.
inline promise(g, c, t, newest) {
  if
  :: promised_term[g] == t && promised_to[g] == c ->  // known already: nothing new to store
    bind(g, c, t);
    if
    :: newest -> speak_grant(g, c)
    :: else
    fi
  :: else ->
    bind(g, c, t);
    storing_for[g] = c + 1;
    answers[g] = newest;
#ifdef WEAK_GRANT_DURABLE
    if
    :: newest -> speak_grant(g, c)
    :: else
    fi
#endif
  fi
}

inline speak_request(c) {
  stage[c] = ASKING;
  asked[c] = asked[c] | BIT(ballot_term[c])
}

inline stored(g) {
  stored_term[g] = promised_term[g];
  stored_to[g] = promised_to[g];
  if
  :: storing_for[g] == g + 1 && stage[g] == STORING -> speak_request(g)
  :: storing_for[g] != g + 1 && answers[g] -> speak_grant(g, storing_for[g] - 1)
  :: else
  fi;
  storing_for[g] = 0;
  answers[g] = 0
}

inline go_idle(c) {
  stage[c] = IDLE;
  ballot_term[c] = 0;
  ask_left[c] = 0;
  forget_answers(c)
}

// Asks for votes in a term that it has not promised yet.
inline ask(c, t) {
  go_idle(c);
  bind(c, c, t);
  ballot_term[c] = t;
  ask_left[c] = LEASE_TIME;
  stage[c] = STORING;
  storing_for[c] = c + 1;
#ifdef WEAK_REQUEST_DURABLE
  speak_request(c)
#endif
}

// The host's promise to itself is stored already.
inline renew(c) {
  go_idle(c);
  bind(c, c, lease_term[c]);
  ballot_term[c] = lease_term[c];
  ask_left[c] = LEASE_TIME;
  speak_request(c)
}

inline say_release(c, t) {
  released[c] = released[c] | BIT(t);
  if
  :: promised_term[c] == t && promised_to[c] == c -> bound[c] = 0
  :: else
  fi
}

// A losing candidate frees its grantors at once: of a request that was never spoken there is nothing to free.
inline abandon(c) {
#ifndef WEAK_RELEASE_UNSPOKEN
  if
  :: stage[c] == ASKING -> say_release(c, ballot_term[c])
  :: else -> bound[c] = 0
  fi;
#else
  say_release(c, ballot_term[c]);
#endif
  go_idle(c)
}

// What is left of a lease when its grants are there: it is counted from the request.
#ifdef WEAK_COUNT_FROM_SENDING
#define COUNTED(c) LEASE_TIME
#else
#define COUNTED(c) ask_left[c]
#endif

inline win(c) {
  assert(c == 0 || !HOLDS(0));  // one exclusive holder at most
  assert(c == 1 || !HOLDS(1));
  assert(c == 2 || !HOLDS(2));
#ifndef RESTORED
  assert(winner[ballot_term[c]] == 0 || winner[ballot_term[c]] == c + 1);  // and one in a term, for good
#endif
  winner[ballot_term[c]] = c + 1;
  lease_term[c] = ballot_term[c];
  lease_left[c] = COUNTED(c);
  go_idle(c)
}

inline stop(c) {
  say_release(c, lease_term[c]);
#ifndef WEAK_STOP_BEFORE_RELEASE
  lease_term[c] = 0;
  lease_left[c] = 0;
  go_idle(c)
#endif
}

// It notices that its lease has run out, and frees its own promise.
inline lapse(c) {
  lease_term[c] = 0;
  if
  :: promised_to[c] == c -> bound[c] = 0
  :: else
  fi;
  go_idle(c)
}

inline crash(i) {
  go_idle(i);
  storing_for[i] = 0;
  answers[i] = 0;
#ifdef WEAK_RESTARTED_HOLDER
  if
  :: lease_left[i] > 0 -> lease_left[i] = LEASE_TIME
  :: else
  fi;
#else
  lease_term[i] = 0;
  lease_left[i] = 0;
#endif
  promised_term[i] = stored_term[i];
  promised_to[i] = stored_to[i];
#if defined(WEAK_WAIT_AFTER_RESTART)
  bound[i] = 0
#elif defined(WEAK_WAIT_AFTER_RESTORE)
  bound[i] = (stored_term[i] > 0 -> PROMISE_TIME : 0)
#else
  bound[i] = PROMISE_TIME  // its disk ran before
#endif
}

// Its disk is put back to an image from before its first promise.
inline restore(i) {
  stored_term[i] = 0;
  stored_to[i] = 0;
  granted_term[i] = 0;
  crash(i)
}

#if defined(WEAK_RELEASE_TERM)
#define RELEASE_FREES(g, c, t) (HAS(released[c], t) && promised_to[g] == (c))
#elif defined(WEAK_RELEASE_HOLDER)
#define RELEASE_FREES(g, c, t) (HAS(released[c], t) && promised_term[g] == (t))
#else
#define RELEASE_FREES(g, c, t) (HAS(released[c], t) && promised_term[g] == (t) && promised_to[g] == (c))
#endif

#define VOTES(c) (1 + HAS(grants[c], 0) + HAS(grants[c], 1) + HAS(grants[c], 2))
#ifdef WEAK_MAJORITY
#define ENOUGH 1
#else
#define ENOUGH MAJORITY
#endif

#define HEAR(g, c)                                                                                                   \
  :: d_step { (c) != (g) && stage[c] == ASKING && MAY_PROMISE(g, c, ballot_term[c]) -> promise(g, c, ballot_term[c], 1) } \
  HEAR_LATE(g, c, 1)                                                                                                 \
  HEAR_LATE(g, c, 2)                                                                                                 \
  HEAR_LATE(g, c, TERMS)
#define HEAR_LATE(g, c, t)                                                                  \
  :: d_step { (c) != (g) && HAS(asked[c], t) && MAY_PROMISE(g, c, t) -> promise(g, c, t, 0) } \
  :: d_step { (c) != (g) && bound[g] > 0 && RELEASE_FREES(g, c, t) -> bound[g] = 0 }

proctype Till(byte me) {
  do
  // As a grantor.
  HEAR(me, 0)
  HEAR(me, 1)
#if CANDIDATES > 2
  HEAR(me, 2)
#endif
  :: d_step { storing_for[me] > 0 -> stored(me) }
  :: d_step { true -> crash(me) }
#ifdef RESTORED
  :: d_step { me == RESTORED -> restore(me) }
#endif
  // As a candidate and holder.
#define ASK(t)                                                                                          \
  :: d_step { me < CANDIDATES && stage[me] == IDLE && promised_term[me] < (t) && MAY_PROMISE_ITSELF(me, t) -> \
    ask(me, t) }
  ASK(1)
  ASK(2)
#if TERMS > 2
  ASK(3)
#endif
  :: d_step { HOLDS(me) && storing_for[me] == 0 && stage[me] != STORING && promised_term[me] == lease_term[me] &&
      promised_to[me] == me -> renew(me) }
  :: d_step { stage[me] == ASKING && VOTES(me) >= ENOUGH && COUNTED(me) > 0 -> win(me) }
  :: d_step { stage[me] != IDLE && !HOLDS(me) -> abandon(me) }
  :: d_step { stage[me] != IDLE -> go_idle(me) }  // without a word
  :: d_step { HOLDS(me) -> stop(me) }
#ifdef WORST_CLOCKS
  :: d_step { lease_term[me] > 0 -> lease_left[me] = 0; lapse(me) }
#else
  :: d_step { lease_term[me] > 0 && lease_left[me] == 0 -> lapse(me) }
#endif
  od
}

#define LESS(timer, n) timer = (timer > (n) -> timer - (n) : 0)
#define PASS(i, n)           \
  d_step {                   \
    LESS(bound[i], n);       \
    LESS(ask_left[i], n);    \
    LESS(lease_left[i], n)   \
  }

// One tick of true time. Every clock runs slow or fast in it. With -DWORST_CLOCKS each span of time is measured by the
// clock that is worst for it, slow for a lease, fast for a promise, and a lease may end early: fewer states, no less found.
#ifdef WEAK_SUSPEND
#define STANDS_STILL :: true -> skip
#else
#define STANDS_STILL
#endif
#ifdef WORST_CLOCKS
#define RUNS(i) \
  :: true -> d_step { LESS(bound[i], FAST); LESS(ask_left[i], SLOW); LESS(lease_left[i], SLOW) }
#else
#define RUNS(i)            \
  :: true -> PASS(i, SLOW) \
  :: true -> PASS(i, FAST)
#endif
#define TICK(i) if RUNS(i) STANDS_STILL fi

proctype Time() {
  do
  :: atomic { true -> TICK(0); TICK(1); TICK(2) }
  od
}

init {
  atomic {
    run Till(0);
    run Till(1);
    run Till(2);
    run Time()
  }
}
