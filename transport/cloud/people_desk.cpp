#include "transport/cloud/people_desk.hpp"

#include <set>

#include "engine/cloud/rights.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "transport/api/json.hpp"
#include "transport/base/caught.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

namespace {

Json conflicts_json(CloudTxn& txn, const std::vector<BranchKey>& branches) {
  Json out = Json::array();
  std::set<std::pair<std::string, std::string>> shared;  // those that a tenant's branches share
  for (const BranchKey& branch : branches) {
    const StockNow stock = [&](const std::string& sku) {
      const auto row = txn.row(branch, stock_feed(branch.branch), sku);
      const auto of = row ? unpack<StockRow>(row->fields) : std::nullopt;
      return of ? std::optional(of->milli) : std::nullopt;
    };
    for (const Conflict& c : ConflictBook::all(txn, branch)) {
      if (!c.row || shared.insert({branch.tenant, c.id}).second) out.push_back(to_json(c, stock));
    }
  }
  return out;
}

}  // namespace

void PeopleDesk::conflicts(std::vector<BranchKey> branches, std::function<void(Result<Json>)> done) {
  auto out = std::make_shared<Json>();
  shell_.on_database(
      [out, branches = std::move(branches)](CloudStore& store) {
        return store.read(
            [&](CloudTxn& txn) -> Result<void> { return *out = conflicts_json(txn, branches), Result<void>(); });
      },
      [out, done = std::move(done)](Result<void> read) {
        done(read ? Result<Json>(std::move(*out)) : tl::unexpected(read.error()));
      });
}

std::vector<BranchKey> PeopleDesk::branches_of(const Person& person) const {
  std::vector<BranchKey> out;
  for (const auto& [branch, roster] : shell_.core().rosters()) {
    const Member* same = branch.tenant == person.branch.tenant ? roster.find_key(person.member.key) : nullptr;
    if (same != nullptr && is_person(same->role)) out.push_back(branch);
  }
  return out;
}

void PeopleDesk::on_message(PeerId id, Message message) {
  const Person& person = people_.at(id);
  const Role role = person.member.role;
  const auto* question = std::get_if<Question>(&message);
  if (question != nullptr && question->what == "conflicts" && may(role, Right::read_conflicts)) {
    const std::vector<BranchKey> branches = branches_of(person);
    std::map<std::string, Json> rosters;
    for (const BranchKey& branch : branches)
      rosters[branch.branch.text] = bytes_json(shell_.core().rosters().at(branch).encoded());
    return conflicts(branches, [this, id, question = *question, rosters](const Result<Json>& all) {
      const auto page = caught([&]() -> Result<Json> {
        if (!all) return all;
        Json out = conflicts_page(*all, question.argument);
        out["rosters"] = rosters;
        return out;
      });
      shell_.send(id, Answer{question.nonce, answer_text(page)});
    });
  }
  const bool may_settle = may(role, Right::settle_conflicts);
  if ((std::holds_alternative<Push>(message) || std::holds_alternative<HistoryOffer>(message)) && may_settle)
    return shell_.carry_out(shell_.core().on_message(read_clock(), id, std::move(message)));
  const char* why = question == nullptr
                        ? "this key may ask, and not settle: that takes one with the role support in the roster"
                        : "a cloud tells a person's key of conflicts, and nothing else";
  shell_.core().refusals().count(person.branch, Refused::not_allowed);
  shell_.send(id, Answer{0, answer_text(fail(ErrorKind::refused, why))});
}

}  // namespace tillsync
