// Asking a till or a cloud from another machine, with the key of a person in the branch's roster, over the same
// encrypted channel as everything else. Managers ask; support settles conflicts as well.
#pragma once

#include <string>
#include <tillsync/op.hpp>

#include "engine/wire/messages.hpp"
#include "lease/roster.hpp"
#include "transport/api/in_message.hpp"
#include "transport/api/questions.hpp"
#include "transport/net/links.hpp"

namespace tillsync {

// Whom a person asks, and as who.
struct Remote {
  TillId name;
  Address at;
  const SecretKey& key;
  const Roster& roster;
};

// Errors: as the other side says; refused (the key is in no roster of that till), timed_out (nobody answers there).
Result<Json> ask_by_message(const Remote& remote, const Question& question);
template <class R>
Result<api::AnswerTo<R>> ask_remotely(const Remote& remote, const R&) {
  return api::answer_from<api::AnswerTo<R>>(
      ask_by_message(remote, api::in_message(std::string(api::LineOf<R>::kName))));
}

// The conflicts of every branch whose roster names this key, from a cloud (or from a till: of its branch), in one page.
Result<api::ConflictsPage> ask_conflicts(const Remote& remote);

// Settles a conflict at a cloud with a supporter's key: the op is signed by it. Errors: refused (the key may not).
Result<void> push_resolution(const Remote& cloud, const OpDraft& draft);

}  // namespace tillsync
