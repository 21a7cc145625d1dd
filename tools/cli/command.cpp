#include "tools/cli/command.hpp"

#include <iostream>

namespace tillsync::cli {

int run_command(CLI::App& app, int argc, char** argv) {
  app.require_subcommand(1);
  app.failure_message([](const CLI::App* a, const CLI::Error& e) {
    return std::string("tillsync: ") + e.what() + "; try '" + a->get_name() + " --help'\n";
  });
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

}  // namespace tillsync::cli
