// Where the commands about conflicts find them: a data folder of a till or a cloud on this machine, or a cloud
// elsewhere with a supporter's key.
#pragma once

#include "conflicts/tui/source.hpp"
#include "tools/cli/cli.hpp"

namespace tillsync::cli {

struct ConflictPlace {
  std::string data, branch;     // a folder; at a cloud that serves several branches, only this one
  std::string at, key, roster;  // or NAME@HOST:PORT, a person's key file, the roster of one of the branches
};

class ConflictSource : public tui::Source {
 public:
  virtual Json conflicts() = 0;                                      // as --json shows them
  virtual void say(const Conflict& about, const OpDraft& word) = 0;  // both throw Failure
  Result<std::vector<tui::Item>> fetch() final;
  Result<void> settle(const Conflict& conflict, const Word& word) final;
  void settle_or_throw(const Json& shown, const Word& word);
};

void add_place(CLI::App* command, const std::shared_ptr<ConflictPlace>& place);
std::unique_ptr<ConflictSource> open_source(const ConflictPlace& place);

// The one with this id, or the one in whose id it is. Throws Failure when there is none, or several.
Json find_conflict(const Json& all, const std::string& id);
std::string login_name();  // of who sits here

}  // namespace tillsync::cli
