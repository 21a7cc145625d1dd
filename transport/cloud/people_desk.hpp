// Connected people: what they ask is answered, and what support says goes to the core like a till's push.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "transport/cloud/cloud_shell.hpp"

namespace tillsync {

// On the core's thread only.
class PeopleDesk {
 public:
  explicit PeopleDesk(CloudShell& shell) : shell_(shell) {}

  void on_up(PeerId id, const BranchKey& branch, const Member& member) { people_.emplace(id, Person{branch, member}); }
  void on_down(PeerId id) { people_.erase(id); }
  bool knows(PeerId id) const { return people_.contains(id); }
  void on_message(PeerId id, Message message);
  // Conflicts of branches, and their tenants' about shared rows, as JSON.
  void conflicts(std::vector<BranchKey> branches, std::function<void(Result<nlohmann::json>)> done);

 private:
  struct Person {
    BranchKey branch;
    Member member;
  };
  std::vector<BranchKey> branches_of(const Person& person) const;

  CloudShell& shell_;
  std::map<PeerId, Person> people_;
};

}  // namespace tillsync
