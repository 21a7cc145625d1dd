#include "tools/cli/options.hpp"

namespace tillsync::cli {

void add_whom(CLI::App* command, const std::shared_ptr<Whom>& whom) {
  auto* data = command->add_option("--data", whom->data, "A till's data folder on this machine");
  auto* at = command->add_option("--at", whom->at, "Or a till elsewhere: NAME@HOST:PORT");
  at->excludes(data);
  at->needs(command->add_option("--key", whom->key, "With --at: a manager's key file ('tillsync roster key')"));
  at->needs(command->add_option("--roster", whom->roster, "With --at: the branch's roster file"));
}

void add_asked(CLI::App* command, const std::shared_ptr<Whom>& whom) {
  auto* data = command->add_option("--data", whom->data, "A till's folder on this machine, to see what the tills have");
  auto* at = command->add_option("--at", whom->at, "Or a till elsewhere: NAME@HOST:PORT");
  at->excludes(data);
  at->needs(command->add_option("--manager-key", whom->key, "With --at: a manager's key file"));
}

void add_place(CLI::App* command, const std::shared_ptr<ConflictPlace>& place) {
  auto* data = command->add_option("--data", place->data, "The data folder of a till or a cloud on this machine");
  command->add_option("--branch", place->branch, "At a cloud that serves several: only this one");
  auto* at = command->add_option("--at", place->at, "Or a cloud elsewhere: NAME@HOST:PORT");
  at->excludes(data);
  at->needs(command->add_option("--key", place->key, "With --at: a supporter's key file ('tillsync roster key')"));
  at->needs(command->add_option("--roster", place->roster, "With --at: the roster file of one of the branches"));
}

}  // namespace tillsync::cli
