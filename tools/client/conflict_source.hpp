// Where conflicts are found, and settled: a data folder of a till or a cloud on this machine, or a cloud elsewhere with
// a supporter's key.
#pragma once

#include "conflicts/tui/source.hpp"
#include "tools/client/folder.hpp"
#include "transport/api/views.hpp"

namespace tillsync::client {

struct ConflictPlace {
  std::string data, branch;     // a folder; at a cloud that serves several branches, only this one
  std::string at, key, roster;  // or NAME@HOST:PORT, a person's key file, the roster of one of the branches
};

class ConflictSource : public tui::Source {
 public:
  virtual Result<std::vector<api::ConflictView>> conflicts() = 0;
  Result<std::vector<tui::Item>> fetch() final;
  // As it is by now: somebody else may have been quicker.
  Result<void> settle(const Conflict& conflict, const Word& word) final;
  Result<void> settle(const api::ConflictView& shown, const Word& word);

 private:
  virtual Result<void> say(const Conflict& about, const OpDraft& word) = 0;
};

std::unique_ptr<ConflictSource> open_source(const ConflictPlace& place);  // Failure when nobody is there

// The one with this id, or the one in whose id it is. Errors: not_found, also when there are several.
Result<api::ConflictView> find_conflict(const std::vector<api::ConflictView>& all, const std::string& id);
std::string login_name();  // of who sits here

}  // namespace tillsync::client
