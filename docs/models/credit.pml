/* Credit of one history on one link: docs/decisions/0037-credit-and-protocol-3.md. Each batch costs 1.
   Run in a folder of its own:
     spin -a credit.pml && cc -O1 -DSAFETY -o pan pan.c && ./pan -m100000
   Each of these defects must make it fail: -DCHARGE_DROPPED, -DNO_CREDIT_BY_ITSELF, -DNO_RECEIVED (given to spin). */
#define OPS 4
#define WINDOW 2
mtype = { offer, push, ack };
chan up = [8] of { mtype, byte, byte };               /* offer: round; push: seq, round */
chan down = [8] of { byte, byte, byte, byte };        /* Ack or Credit: held, round, received, until */
byte breaks = 1, drops = 2;
/* sender */
byte s_round = 0, sent = 0, s_until = 0, next = 1, s_held = 0;
bool s_known = false, up_wanted = true;
/* receiver */
byte held = 0, r_round = 0, received = 0, r_until = 0, debt = 0, charged = 0;

inline grant() { if :: debt == 0 && received + WINDOW > r_until -> r_until = received + WINDOW :: else fi }
inline answer() { grant(); down ! held, r_round, received, r_until }

active proctype sender() {
  byte h, r, g, u;
end: do
  :: atomic { up_wanted && nfull(up) -> up_wanted = false; s_round++; sent = 0; s_until = 0; s_known = false; up ! offer, s_round, 0 }
  :: atomic { s_known && next <= OPS && sent < s_until && nfull(up) -> up ! push, next, s_round; sent++; next++ }
  :: atomic { down ? h, r, g, u ->
       if
       :: r != s_round -> skip
       :: else ->
          if :: u > s_until -> s_until = u :: else fi;
          if :: !s_known -> s_known = true; next = h + 1 :: else fi;
          s_held = h;
#ifndef NO_RECEIVED
          if :: g == sent && next > h + 1 -> next = h + 1 :: else fi   /* all is dealt with, and not all was taken */
#endif
       fi }
  od
}
active proctype receiver() {
  mtype m; byte a, b; bool taken;
end: do
  :: atomic { nempty(up) && nfull(down) -> up ? m, a, b;
       if
       :: m == offer -> r_round = a; received = 0; r_until = 0; answer()
       :: m == push && b == r_round ->
          taken = (a == held + 1);
          received++;
          assert(received <= r_until);          /* nobody is sent more than was granted */
          if :: taken && drops > 0 -> drops--; taken = false :: true fi;   /* refused, or the store was busy */
          if :: taken -> held++; debt = 2; charged++
             :: !taken ->
#ifdef CHARGE_DROPPED
                charged++
#else
                skip
#endif
          fi;
          assert(charged == held);
          answer()
       :: m == push && b != r_round -> assert(false)   /* one link keeps its order */
       fi }
  :: atomic { debt > 0 && nfull(down) -> debt--;
#ifndef NO_CREDIT_BY_ITSELF
       if :: debt == 0 -> answer() :: else fi
#endif
     }
  od
}
active proctype link() {
end: do
  :: atomic { breaks > 0 -> breaks--;
       do :: nempty(up) -> up ? _, _, _ :: nempty(down) -> down ? _, _, _, _ :: empty(up) && empty(down) -> break od;
       up_wanted = true }
  od
}
/* when nothing moves any more, all is there */
active proctype judge() {
  timeout -> assert(held == OPS && s_held == OPS)
}
