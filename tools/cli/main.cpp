// tillsync: one binary for the shop, the cloud and the people who look after them.
#include "tools/cli/cli.hpp"
#include "tools/client/memory.hpp"

int main(int argc, char** argv) {
  using namespace tillsync::cli;
  tillsync::client::keep_freed_memory();
  CLI::App app{
      "tillsync keeps a shop selling and its stock true when the network does not cooperate.\n"
      "Example: tillsync demo",
      "tillsync"};
  app.set_version_flag("--version", "tillsync 0.1.0");
  add_demo(app);
  add_run(app);
  add_status(app);
  add_lease(app);
  add_roster(app);
  add_setting(app);
  add_conflicts(app);
  add_dead_letter(app);
  add_pair(app);
  add_data(app);
  add_export(app);
  add_repair(app);
  add_doctor(app);
  add_operator(app);
  add_backup(app);
  add_sim(app);
  return run_command(app, argc, argv);
}
