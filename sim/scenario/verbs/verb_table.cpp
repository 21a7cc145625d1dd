#include "sim/scenario/verbs/verb_table.hpp"

#include <algorithm>
#include <cstdlib>

#include "sim/scenario/verbs/words.hpp"

namespace tillsync::sim {

const std::vector<const Verb*>& all_verbs() {
  static const std::vector<VerbList> topics = [] {
    std::vector<VerbList> out;
    for (auto topic : {verbs_of_trade, verbs_of_the_office, verbs_of_machines, verbs_of_the_network, verbs_of_disks,
                       verbs_of_the_branch, expectations})
      out.push_back(topic());
    return out;
  }();
  static const std::vector<const Verb*> all = [] {
    std::vector<const Verb*> out;
    for (const VerbList& topic : topics) {
      for (const auto& each : topic) out.push_back(each.get());
    }
    return out;
  }();
  return all;
}

const Verb& verb(const std::string& name) {
  const auto found = std::ranges::find(all_verbs(), name, &Verb::name);
  if (found == all_verbs().end()) std::abort();
  return **found;
}

Result<Step> read_verb(const std::vector<std::string>& words) {
  std::string one = words.empty() ? "" : words[0], two = words.size() < 2 ? one : one + " " + words[1];
  std::vector<std::string> names;
  bool first_of_two = false;
  for (const Verb* each : all_verbs()) {
    if (each->name() == one || each->name() == two) return each->read(words);
    names.push_back(each->name());
    first_of_two = first_of_two || each->name().starts_with(one + " ");
  }
  const std::string& meant = first_of_two ? two : one;
  return fail(ErrorKind::refused, "there is no verb '" + meant + "': " + did_you_mean(meant, names));
}

}  // namespace tillsync::sim
