// What was said at this till of rows and conflicts and the cloud has not taken yet: an edit, a resolution. Reads show
// it at once, whatever the network does; what comes of it in the end is the cloud's row.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conflicts/choices.hpp"
#include "storage/lmdb/till_store.hpp"
#include "storage/model/row_edit.hpp"

namespace tillsync {

class PendingOverlay {
 public:
  explicit PendingOverlay(TillView view);

  void add(const Op& op);  // durable; other kinds are ignored, and what is known already
  // Those that `taken` says the cloud has go.
  void forget(const std::function<bool(Incarnation, Seq)>& taken);

  std::optional<Row> over(std::optional<Row> row, const std::string& kind, const std::string& id) const;
  void over(Conflict& conflict) const;
  void form(StoreBatch& batch);

 private:
  struct Word {
    StockPlace place;
    std::string cashier;
    std::optional<RowEdit> edit;
    std::optional<Resolution> resolution;
    template <class A>
    void fields(A& a) {
      a(place, cashier, edit, resolution);
    }
  };
  std::vector<Word> words_;  // as they were said
  bool dirty_ = false;
};

}  // namespace tillsync
