#include "transport/cloud/people_desk.hpp"

#include "engine/cloud/rights.hpp"
#include "transport/api/in_message.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

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
  if (const auto* question = std::get_if<Question>(&message)) {
    const api::Asker asker{api::Key::in_roster, party_of(person.member.role), branches_of(person)};
    return ask_(asker, *question,
                [this, id, branch = person.branch, nonce = question->nonce](const Result<Json>& said) {
                  if (!said && said.error().kind == ErrorKind::refused)
                    shell_.core().refusals().count(branch, Refused::not_allowed);
                  shell_.send(id, Answer{nonce, api::answer_text(said)});
                });
  }
  const bool says = std::holds_alternative<Push>(message) || std::holds_alternative<HistoryOffer>(message);
  if (says && may(person.member.role, Right::settle_conflicts))
    return shell_.carry_out(shell_.core().on_message(read_clock(), id, std::move(message)));
  shell_.core().refusals().count(person.branch, Refused::not_allowed);
  shell_.send(id, Answer{0, api::answer_text(fail(ErrorKind::refused,
                                                  "this key may ask, and not settle: that takes one with the role "
                                                  "support in the roster"))});
}

}  // namespace tillsync
