// What every command shares, whatever it talks to.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/client/failure.hpp"
#include "tools/client/progress.hpp"

namespace tillsync::cli {

using client::Failure;
using client::Progress;
using client::require;

// Parses and carries out; the exit code.
int run_command(CLI::App& app, int argc, char** argv);

void add_sim(CLI::App& app);

}  // namespace tillsync::cli
