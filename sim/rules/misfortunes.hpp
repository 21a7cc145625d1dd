// What the world did to a shop that no engine can make good: a disk that went back to a backup, a cloned till, a clock
// that was set. Rules allow for it, each for a reason that it states.
#pragma once

#include <map>
#include <set>
#include <string>

namespace tillsync::sim {

class Misfortunes {
 public:
  // A till's disk went back in time, or rotted. `lost`: the keys of what lay on that disk alone.
  void till_went_back(const std::set<std::string>& lost);
  // The cloud went back to a backup. `lost`: the keys of what it alone had; `held`: all that were in effect, by branch.
  void cloud_went_back(const std::set<std::string>& lost, const std::map<int, std::set<std::string>>& held);
  // A till of this branch heard from the cloud that went back. `nowhere`: the keys that neither it nor any till has.
  // Until then, tills truly believe that the cloud has a sale, and let their copies go; what nobody has any more by
  // then, since its till went back as well, no engine can bring back.
  void cloud_was_heard(int branch, const std::set<std::string>& nowhere);
  bool awaits_word_of_cloud(int branch) const { return unheard_.contains(branch); }
  void clock_was_set() { clocks_right_ = false; }
  void till_was_cloned() { cloned_ = till_forgot_ = true; }

  bool destroyed(const std::string& key) const { return destroyed_.contains(key); }
  bool was_in_cloud(const std::string& key) const { return were_in_cloud_.contains(key); }  // before it went back
  bool till_forgot() const { return till_forgot_; }  // some till's promises, and the copies that it held for others
  bool cloud_forgot() const { return cloud_forgot_; }
  bool cloned() const { return cloned_; }
  bool clocks_right() const { return clocks_right_; }

 private:
  std::set<std::string> destroyed_;
  std::set<std::string> were_in_cloud_;
  std::map<int, std::set<std::string>> unheard_;  // by branch: what was in the cloud that went back, until a till knows
  bool till_forgot_ = false, cloud_forgot_ = false, cloned_ = false, clocks_right_ = true;
};

}  // namespace tillsync::sim
