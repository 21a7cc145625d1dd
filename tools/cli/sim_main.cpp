// The simulator alone: what the deliberate defects are built into, without the rooms that they are not in.
#include "tools/cli/command.hpp"

int main(int argc, char** argv) {
  CLI::App app{"tillsync's simulator.\nExample: tillsync-sim sim --mutants", "tillsync-sim"};
  tillsync::cli::add_sim(app);
  return tillsync::cli::run_command(app, argc, argv);
}
