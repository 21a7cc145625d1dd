#include "transport/till/till_control.hpp"

#include "transport/api/in_message.hpp"
#include "transport/till/till_looks.hpp"

namespace tillsync {

namespace {

using api::Asker;
using api::Reply;

Result<api::Nothing> nothing(const Result<void>& done) {
  return done ? Result<api::Nothing>(api::Nothing{}) : tl::unexpected(done.error());
}

void edit(TillRuntime& till, const api::EditRequest& q, const Reply<Receipt>& reply) {
  std::map<std::string, Bytes> changes;
  for (const auto& [field, value] : q.changes) changes[field] = value.is_null() ? Bytes() : fields_from(value);
  OpDraft draft = till.node().draft_edit(q.kind, q.row, changes, q.deletes);
  draft.key = q.key;
  draft.cashier = q.cashier;
  till.record(draft, reply);
}

void command(TillRuntime& till, const api::CommandRequest& q, const Reply<api::Nothing>& reply) {
  if (q.name.empty() || q.name.size() > 64)
    return reply(fail(ErrorKind::invalid, "a setting's name has 1 to 64 bytes"));
  till.command(q.name, fields_from(q.value), [reply](const Result<void>& done) { reply(nothing(done)); });
}

Result<api::RosterTaken> take_roster(TillRuntime& till, const api::TakeRosterRequest& q) {
  const auto roster = Roster::decode(q.roster.bytes);
  if (!roster) return fail(ErrorKind::invalid, "this is no roster signed by its tenant");
  till.take_roster(*roster);
  const auto& mine = till.node().roster();
  return api::RosterTaken{till.settings().branch.text, mine ? mine->version : 0,
                          mine && mine->signature == roster->signature};
}

void answer_writes(api::Answering& answers, TillRuntime& till) {
  answers.on_later<api::RecordRequest>([&till](const Asker&, const api::RecordRequest& q, Reply<Receipt> reply) {
    till.record(q.op, std::move(reply));
  });
  answers.on_later<api::EditRequest>(
      [&till](const Asker&, const api::EditRequest& q, const Reply<Receipt>& reply) { edit(till, q, reply); });
  answers.on_later<api::WaitRequest>(
      [&till](const Asker&, const api::WaitRequest& q, const Reply<api::Reached>& reply) {
        till.wait(q.key, q.level, milliseconds(q.limit_ms), [reply](const Result<Level>& level) {
          reply(level ? Result<api::Reached>(api::Reached{*level}) : tl::unexpected(level.error()));
        });
      });
  answers.on_later<api::CommandRequest>([&till](const Asker&, const api::CommandRequest& q,
                                                const Reply<api::Nothing>& reply) { command(till, q, reply); });
  answers.on<api::StepDownRequest>([&till](const auto& q) -> Result<api::Nothing> {
    till.step_down(q.to.empty() ? std::nullopt : std::optional(TillId{q.to}));
    return api::Nothing{};
  });
  answers.on<api::TakeRosterRequest>([&till](const auto& q) { return take_roster(till, q); });
}

std::shared_ptr<const api::Answering> answers_of(TillRuntime& till) {
  auto answers = std::make_shared<api::Answering>();
  answer_looks(*answers, till.node(), till.store(), true);
  answer_writes(*answers, till);
  answers->complete<api::TillQuestions>("till");
  return answers;
}

}  // namespace

ControlHandler till_control(TillRuntime& till) {
  return [&till, answer = for_user(answers_of(till))](const Json& question, ControlReply reply) {
    const TillRuntime::Held held(till.core());
    answer(question, std::move(reply));
  };
}

std::string answer_person(TillRuntime& till, Role role, const Question& question) {
  std::string text;
  answers_of(till)->ask({api::Key::in_roster, party_of(role)}, api::question_of(question),
                        [&](const Result<Json>& answer) { text = api::answer_text(answer); });
  return text;
}

}  // namespace tillsync
