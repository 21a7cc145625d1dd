#include "sim/scenario/verbs/stage.hpp"

#include <algorithm>

namespace tillsync::sim {

namespace {
constexpr std::size_t kMaxFollowed = 20;
}

void Stage::follow(SimTill& till, const std::string& key) {
  if (followed_ >= kMaxFollowed || key.size() % 2 == 0) return;
  ++followed_;
  till.wait(key, key.back() % 2 == 0 ? Level::two_disks : Level::cloud, seconds(20),
            [this](const Result<Level>&) { --followed_; });
}

bool Stage::all_alive() const {
  return fleet_.cloud().alive() &&
         std::ranges::all_of(fleet_.tills(), [](const auto& till) { return till->responds(); });
}

const SimTill::Backup* Stage::backup_of(const SimTill& till) const {
  const auto found = backups_.find(till.label());
  return found == backups_.end() ? nullptr : &found->second;
}

void Stage::send_forger(const SimTill& robbed) {
  forgers_.push_back(std::make_unique<Forger>(fleet_.world(), fleet_.network(), robbed.who()));
}

void Stage::forgers_go() {
  for (auto& forger : forgers_) forger->go();
}

}  // namespace tillsync::sim
