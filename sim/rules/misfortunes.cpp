#include "sim/rules/misfortunes.hpp"

#include <algorithm>
#include <iterator>

namespace tillsync::sim {

void Misfortunes::till_went_back(const std::set<std::string>& lost) {
  destroyed_.insert(lost.begin(), lost.end());
  till_forgot_ = true;
}

void Misfortunes::cloud_went_back(const std::set<std::string>& lost, const std::map<int, std::set<std::string>>& held) {
  destroyed_.insert(lost.begin(), lost.end());
  cloud_forgot_ = true;
  for (const auto& [branch, keys] : held) {
    if (keys.empty()) continue;
    were_in_cloud_.insert(keys.begin(), keys.end());
    unheard_[branch].insert(keys.begin(), keys.end());
  }
}

void Misfortunes::cloud_was_heard(int branch, const std::set<std::string>& nowhere) {
  const auto unheard = unheard_.extract(branch);
  if (unheard) std::ranges::set_intersection(unheard.mapped(), nowhere, std::inserter(destroyed_, destroyed_.end()));
}

}  // namespace tillsync::sim
