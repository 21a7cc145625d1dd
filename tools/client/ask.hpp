// Whom a command asks about a branch: the till of a data folder on this machine, or one elsewhere, with a manager's
// key.
#pragma once

#include "tools/cli/cli.hpp"

namespace tillsync::cli {

struct Whom {
  std::string data, at, key, roster;  // `at`: NAME@HOST:PORT
  bool named() const { return !data.empty() || !at.empty(); }
};

void add_whom(CLI::App* command, const std::shared_ptr<Whom>& whom);
Json ask(const Whom& whom, const std::string& what);  // lease, roster_held
SecretKey read_secret(const std::string& path);

}  // namespace tillsync::cli
