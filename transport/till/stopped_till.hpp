// The data folder of a till that does not run, looked at: nothing is locked, recovered or written, and no thread runs.
// What is asked is answered by a core that was told of the database and of the journal's tail, and is never driven.
#pragma once

#include <memory>

#include "engine/till/till_core.hpp"
#include "storage/disk/data_folder.hpp"
#include "transport/api/answering.hpp"

namespace tillsync {

class StoppedTill {
 public:
  // Errors: not_found (no till lives there), damaged, io.
  static Result<std::unique_ptr<StoppedTill>> look(const std::string& folder);

  // What only reads (transport/api/questions.hpp). Errors: locked, when a process uses the folder by now: ask that one.
  Result<Json> ask(const Json& question) const;

 private:
  explicit StoppedTill(DataFolder folder) : folder_(std::move(folder)) {}
  Result<void> read();

  DataFolder folder_;
  std::unique_ptr<TillStore> store_;
  std::unique_ptr<TillCore> core_;
  api::Answering answers_;
};

}  // namespace tillsync
