// Connected people: what they ask is answered, and what support says goes to the core like a till's push.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "transport/api/answering.hpp"
#include "transport/cloud/cloud_shell.hpp"

namespace tillsync {

// On the core's thread only.
class PeopleDesk {
 public:
  // Answers a question of somebody with these rights; the text goes into the answer's message.
  using Ask = std::function<void(const api::Asker&, const Question&, api::JsonReply)>;
  PeopleDesk(CloudShell& shell, Ask ask) : shell_(shell), ask_(std::move(ask)) {}

  void on_up(PeerId id, const BranchKey& branch, const Member& member) { people_.emplace(id, Person{branch, member}); }
  void on_down(PeerId id) { people_.erase(id); }
  bool knows(PeerId id) const { return people_.contains(id); }
  void on_message(PeerId id, Message message);

 private:
  struct Person {
    BranchKey branch;
    Member member;
  };
  std::vector<BranchKey> branches_of(const Person& person) const;

  CloudShell& shell_;
  Ask ask_;
  std::map<PeerId, Person> people_;
};

}  // namespace tillsync
