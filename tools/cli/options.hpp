// Options that several commands have alike: whom they ask.
#pragma once

#include "tools/cli/cli.hpp"
#include "tools/client/conflict_source.hpp"
#include "tools/client/whom.hpp"

namespace tillsync::cli {

using client::ConflictPlace;
using client::Whom;

void add_whom(CLI::App* command, const std::shared_ptr<Whom>& whom);
// Of a command that changes a roster: who is asked what the tills have. `key` is the manager's key file.
void add_asked(CLI::App* command, const std::shared_ptr<Whom>& whom);
void add_place(CLI::App* command, const std::shared_ptr<ConflictPlace>& place);

}  // namespace tillsync::cli
