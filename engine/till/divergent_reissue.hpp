// Ops of this till that others kept although the cloud's history of it does not contain them (after a fork, or a
// restored cloud). They show them in signed batches; what this till does not know any more, it records anew, naming the
// place that it had.
#pragma once

#include <map>

#include "engine/till/history_acks.hpp"
#include "engine/wire/open_push.hpp"

namespace tillsync {

class DivergentReissue {
 public:
  DivergentReissue(LocalLog& log, const HistoryAcks& acks, const ForkList& forks);

  // Answered once all of the batch is in the cloud: until then it is shown again and again.
  void on_batch(const Peer& keeper, const OpenedPush& batch, Actions& out);
  void on_durable(const Op& op);
  void forget_all() { reissued_.clear(); }  // the till goes on in a new history

 private:
  bool is_in_cloud(const Op& op);

  LocalLog& log_;
  const HistoryAcks& acks_;
  const ForkList& forks_;
  std::map<Origin, Seq> reissued_;  // of this run: their number here, 0 until they are on disk
};

}  // namespace tillsync
