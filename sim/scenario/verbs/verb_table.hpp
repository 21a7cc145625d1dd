// All verbs. A new one is a class or an entry in the file of its topic; reader, writer, player and draw find it here.
#pragma once

#include "sim/scenario/verbs/verb.hpp"

namespace tillsync::sim {

const std::vector<const Verb*>& all_verbs();
const Verb& verb(const std::string& name);  // there must be such a verb
// One line without its time. Errors: refused, with what is wrong and how it should read.
Result<Step> read_verb(const std::vector<std::string>& words);

// By topic, for the table alone.
using VerbList = std::vector<std::unique_ptr<const Verb>>;
VerbList verbs_of_trade();
VerbList verbs_of_the_office();
VerbList verbs_of_machines();
VerbList verbs_of_disks();
VerbList verbs_of_the_network();
VerbList verbs_of_the_branch();
VerbList expectations();

// verbs(a, b, c): a list of them.
template <class... V>
VerbList verbs(V... each) {
  VerbList out;
  (out.push_back(std::make_unique<const V>(std::move(each))), ...);
  return out;
}

}  // namespace tillsync::sim
