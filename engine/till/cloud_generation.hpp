// Which generation of its record the cloud is of, as far as a till has heard: from rows, or from the cloud's own signed
// message, which tills pass on. Another one than before means that the cloud was put back to a backup, and that what
// was said of it before holds no more (docs/decisions/0023-restored-clouds.md).
#pragma once

#include <optional>
#include <vector>

#include "engine/wire/messages.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

class CloudGeneration {
 public:
  static constexpr std::size_t kMostLeft = 64;

  explicit CloudGeneration(TillView view);

  std::uint64_t value() const { return value_; }  // 0: nothing heard yet
  // Heard of the cloud at that generation, by a till that says so; 0: it does not know.
  bool is_old(std::uint64_t generation) const;
  // The newest message that is known, for those who may not have heard it.
  const std::optional<CloudReset>& last_reset() const { return reset_; }
  // This till's acknowledgement on the cloud's behalf.
  Ack cloud_holds(const WireChain& chain, const ChainPoint& point) const {
    return {chain, Level::cloud, point, {value_}};
  }

  // True if it is new: then the others are to hear it. What the cloud itself says counts, however old it looks.
  bool hear(const CloudReset& reset, bool by_cloud);
  void on_rows(std::uint64_t generation);

  // What was heard is in effect once it is stored.
  bool dirty() const { return heard_.has_value(); }
  bool form(StoreBatch& batch);  // true when all that the cloud was said to hold is to be doubted

 private:
  bool left(std::uint64_t generation) const;
  void leave(std::uint64_t generation);
  std::uint64_t newest() const { return heard_.value_or(value_); }

  std::uint64_t value_ = 0;
  std::optional<std::uint64_t> heard_;
  std::optional<CloudReset> reset_;
  std::vector<std::uint64_t> left_;  // generations that are over, the latest last
};

}  // namespace tillsync
