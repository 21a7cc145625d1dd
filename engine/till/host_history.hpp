// The last changes of host as this till saw them, for the manager who asks why. Kept in the database.
#pragma once

#include <vector>

#include "storage/base/pack.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

struct HostChange {
  std::int64_t wall_ms = 0;  // by the corrected clock
  std::string host;          // empty: there was none then
  bool exclusive = false;
  Term term;
  std::string reason;
  template <class A>
  void fields(A& a) {
    a(wall_ms, host, exclusive, term, reason);
  }
};

class HostHistory {
 public:
  static constexpr std::size_t kMost = 50;

  explicit HostHistory(TillView view) {
    const auto meta = view.meta(kMeta);
    if (meta) all_ = unpack<Packed<HostChange>>(*meta).value_or(Packed<HostChange>{}).all;
  }

  const std::vector<HostChange>& all() const { return all_; }  // oldest first

  void add(HostChange change) {
    all_.push_back(std::move(change));
    if (all_.size() > kMost) all_.erase(all_.begin());
    dirty_ = true;
  }

  void form(StoreBatch& batch) {
    if (dirty_) batch.meta(kMeta, pack(Packed<HostChange>{all_}));
    dirty_ = false;
  }

 private:
  static constexpr char kMeta[] = "hosts";
  std::vector<HostChange> all_;
  bool dirty_ = false;
};

}  // namespace tillsync
