// Conflicts, as they are shown at every tier.
#pragma once

#include "transport/api/requests.hpp"

namespace tillsync::api {

struct MoveView {
  std::string sku;
  std::int64_t milli = 0, unit_price = 0;
  template <class A>
  void describe(A& a) {
    a("sku", sku);
    a("milli", milli);
    a("unit_price", unit_price);
  }
};

struct SideView {
  std::string till;
  Incarnation incarnation;
  Seq seq;
  std::int64_t at_ms = 0;
  std::string key, cashier, what;
  std::int64_t milli = 0, money = 0;
  std::optional<std::string> had_seen;  // of an edit
  template <class A>
  void describe(A& a) {
    a("till", till);
    a("incarnation", incarnation);
    a("seq", seq);
    a("at_ms", at_ms);
    a("key", key);
    a("cashier", cashier);
    a("what", what);
    a("milli", milli);
    a("money", money);
    a("had_seen", had_seen);
  }
};

struct StepView {
  std::int64_t at_ms = 0;
  std::string who, what, reason;
  template <class A>
  void describe(A& a) {
    a("at_ms", at_ms);
    a("who", who);
    a("what", what);
    a("reason", reason);
  }
};

struct ChoiceView {
  std::string name, words, preview;
  std::vector<MoveView> moves;
  template <class A>
  void describe(A& a) {
    a("name", name);
    a("words", words);
    a("preview", preview);
    a("moves", moves);
  }
};

struct ConflictView {
  std::string id, kind, branch, subject;
  bool open = false;
  std::int64_t at_ms = 0;
  std::string state;  // suspected, open, resolved, closed
  std::int64_t money = 0;
  std::string currency;
  std::vector<SideView> sides;
  std::string summary;
  std::vector<StepView> history;
  std::string rule;
  std::vector<ChoiceView> choices;
  std::map<std::string, std::int64_t> stock;  // of the products that it is about, thousandths
  std::optional<HexBytes> record;             // the conflict as tiers keep it; not for people
  template <class A>
  void describe(A& a) {
    a("id", id);
    a("kind", kind);
    a("branch", branch);
    a("subject", subject);
    a("open", open);
    a("at_ms", at_ms);
    a("state", state);
    a("money", money);
    a("currency", currency);
    a("sides", sides);
    a("summary", summary);
    a("history", history);
    a("rule", rule);
    a("choices", choices);
    a("stock", stock);
    a("record", record);
  }
};

struct ConflictsPage {
  std::vector<ConflictView> conflicts;
  bool more = false;
  std::map<std::string, Octets> rosters;  // of a cloud: of each branch that the asker's key is in
  template <class A>
  void describe(A& a) {
    a("conflicts", conflicts, kNeeded);
    a("more", more);
    a("rosters", rosters);
  }
};

}  // namespace tillsync::api
