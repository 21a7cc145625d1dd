// tillsync: one binary for the shop, the cloud and the people who look after them.
#include <iostream>

#include "tools/cli.hpp"

int main(int argc, char** argv) {
  using namespace tillsync::cli;
  CLI::App app{
      "tillsync keeps a shop selling and its stock true when the network does not cooperate.\n"
      "Example: tillsync demo",
      "tillsync"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "tillsync 0.1.0");
  app.failure_message([](const CLI::App* a, const CLI::Error& e) {
    return std::string("tillsync: ") + e.what() + "; try '" + a->get_name() + " --help'\n";
  });
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
  add_sim(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const Failure& failure) {
    std::cerr << "tillsync: " << failure.sentence << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "tillsync: something went wrong that should not (" << error.what()
              << "): nothing that was confirmed is lost; please report it\n";
    return 1;
  }
  return 0;
}
