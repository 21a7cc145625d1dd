// A shop of two tills and a witness: the cloud has the third vote. Its promise is one row of a database, which two
// processes serve. What is modelled and what is not: README.md. Each WEAK_ macro weakens one rule.
// Spans of time are measured by the clock that is worst for them: a lease of L ends L after its request was sent, or
// earlier; what a process watches, it has watched for L when L has passed (lease.pml shows why that is enough).

#ifndef L
#define L 1
#endif
#ifndef TERMS
#define TERMS 2
#endif
#define TILLS 2
#define PROCESSES 2

// The row: the promise, and whether a release has ended it. Its revision rises with each write; what a process has to
// know of it is only whether it is still the one that it saw.
byte row_term, row_to;
bit row_binds;

// A process of the cloud.
bit job[PROCESSES];           // a request is being handled, formed from ...
byte job_from[PROCESSES], job_term[PROCESSES];
bit job_newest[PROCESSES];    // the newest of that till, so that its grant will be counted
byte job_age[PROCESSES];      // ticks since the job was formed, with WEAK_CLOCK_OF_THE_JOB
bit granting[PROCESSES];      // it has read the row and found that it may grant; the write is to come
bit row_as_read[PROCESSES];   // nobody has written the row since
bit watching[PROCESSES];      // it has seen the row as it stands ...
byte watch_left[PROCESSES];   // ... and would wait that long before it overrides it

// A till: it promises itself in the term that it asks in, and never crashes (lease.pml).
byte term[TILLS], ask_left[TILLS], lease_left[TILLS];
bit granted[TILLS];           // by the witness
byte given_up[TILLS];         // spoken releases, a set of terms
byte winner[TERMS + 1];

#define BIT(i) (1 << (i))
#define HAS(mask, i) (((mask) >> (i)) & 1)
#define SAME_HOLDER(c, t) (row_term > 0 && row_to == (c) && (t) >= row_term)

inline go_idle(c) {
  ask_left[c] = 0;
  granted[c] = 0;
#ifndef WEAK_NONCE
  job_newest[0] = job_newest[0] && job_from[0] != c;
  job_newest[1] = job_newest[1] && job_from[1] != c;
#endif
  skip
}

inline drop(p) {
  job[p] = 0;
  job_from[p] = 0;
  job_term[p] = 0;
  job_newest[p] = 0;
  job_age[p] = 0;
  granting[p] = 0;
  row_as_read[p] = 0
}

// The transaction begins: the row is read, then the clock. A refusal ends the job; the watch has begun all the same.
inline read_row(p) {
  if
  :: watching[p] -> skip
  :: else ->
    watching[p] = 1;
#if defined(WEAK_WATCH)
    watch_left[p] = 0
#elif defined(WEAK_CLOCK_OF_THE_JOB)
    watch_left[p] = (row_binds && L > job_age[p] -> L - job_age[p] : 0)
#else
    watch_left[p] = (row_binds -> L : 0)
#endif
  fi;
  if
  :: row_term == 0 || SAME_HOLDER(job_from[p], job_term[p]) || (job_term[p] > row_term && watch_left[p] == 0) ->
    granting[p] = 1;
    row_as_read[p] = 1
  :: else -> drop(p)
  fi
}

inline write_row(p, c, t, binds) {
#ifdef WEAK_RENEWAL_IN_THE_ROW
  if
  :: row_term == t && row_to == c && row_binds == binds -> skip
  :: else
#endif
    row_as_read[1 - p] = 0;
    watching[1 - p] = 0;
    watch_left[1 - p] = 0;
#ifdef WEAK_RENEWAL_IN_THE_ROW
  fi;
#endif
  row_term = t;
  row_to = c;
  row_binds = binds;
  watching[p] = 1;
  watch_left[p] = (binds -> L : 0)
}

#ifdef WEAK_CONDITIONAL_UPDATE
#define MAY_COMMIT(p) true
#else
#define MAY_COMMIT(p) row_as_read[p]
#endif

// The grant leaves when the row is durable.
inline commit(p) {
  write_row(p, job_from[p], job_term[p], 1);
  if
  :: job_newest[p] -> granted[job_from[p]] = 1
  :: else
  fi;
  drop(p)
}

// Another process was quicker: the transaction starts again. What this one meant to write is no row that it has seen.
inline start_again(p) {
  granting[p] = 0;
#ifdef WEAK_FORGET_WHAT_FAILED
  watching[p] = 1;
#endif
  row_as_read[p] = 0
}

inline restart(p) {
  drop(p);
  watching[p] = 0;
  watch_left[p] = 0;
#ifdef WEAK_RESTART
  watching[p] = 1;
#endif
  skip
}

#define REQUEST_ARRIVES(p, c)                                                      \
  :: d_step { !job[p] && ask_left[c] > 0 -> job[p] = 1; job_from[p] = c; job_term[p] = term[c]; job_newest[p] = 1 }
#define RELEASE_ARRIVES(p, c) \
  :: d_step { !job[p] && row_binds && row_to == (c) && HAS(given_up[c], row_term) -> write_row(p, c, row_term, 0) }

proctype Process(byte me) {
  do
  REQUEST_ARRIVES(me, 0)
  REQUEST_ARRIVES(me, 1)
  RELEASE_ARRIVES(me, 0)
  RELEASE_ARRIVES(me, 1)
  :: d_step { job[me] && !granting[me] -> read_row(me) }
  :: d_step { granting[me] && MAY_COMMIT(me) -> commit(me) }
#ifdef WEAK_GRANT_AFTER_COMMIT
  :: d_step { granting[me] && job_newest[me] -> granted[job_from[me]] = 1 }
#endif
  :: d_step { granting[me] && !row_as_read[me] -> start_again(me) }
  :: d_step { true -> restart(me) }
  od
}

inline ask(c, t) {
  go_idle(c);
  term[c] = t;
  ask_left[c] = L
}

inline win(c) {
  assert(lease_left[1 - c] == 0);                            // one exclusive holder at most
  assert(winner[term[c]] == 0 || winner[term[c]] == c + 1);  // and one in a term, for good
  winner[term[c]] = c + 1;
  lease_left[c] = ask_left[c];
  go_idle(c)
}

#define ASK(c, t) \
  :: d_step { lease_left[c] == 0 && ask_left[c] == 0 && term[c] < (t) -> ask(c, t) }

proctype Till(byte me) {
  do
  ASK(me, 1)
  ASK(me, 2)
#if TERMS > 2
  ASK(me, 3)
#endif
  :: d_step { lease_left[me] > 0 -> ask(me, term[me]) }  // renews
  :: d_step { ask_left[me] > 0 && granted[me] -> win(me) }
  :: d_step { ask_left[me] > 0 && lease_left[me] == 0 -> given_up[me] = given_up[me] | BIT(term[me]); go_idle(me) }
  :: d_step { lease_left[me] > 0 -> lease_left[me] = 0; given_up[me] = given_up[me] | BIT(term[me]); go_idle(me) }
  :: d_step { lease_left[me] > 0 || ask_left[me] > 0 -> lease_left[me] = 0; go_idle(me) }  // without a word
  od
}

#define LESS(timer) timer = (timer > 0 -> timer - 1 : 0)
#define AGE(p) job_age[p] = (job[p] && job_age[p] < L -> job_age[p] + 1 : job_age[p])

proctype Time() {
  do
  :: d_step { true ->
      LESS(watch_left[0]); LESS(watch_left[1]);
#ifdef WEAK_CLOCK_OF_THE_JOB
      AGE(0); AGE(1);
#endif
      LESS(ask_left[0]); LESS(ask_left[1]);
      LESS(lease_left[0]); LESS(lease_left[1]);
      granted[0] = granted[0] && ask_left[0] > 0;
      granted[1] = granted[1] && ask_left[1] > 0 }
  od
}

init {
  atomic {
    run Process(0);
    run Process(1);
    run Till(0);
    run Till(1);
    run Time()
  }
}
