// The commands, and what those share that are about a data folder.
#pragma once

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "storage/base/thousandths.hpp"
#include "tools/cli/command.hpp"
#include "tools/client/folder.hpp"

namespace tillsync::cli {

using client::Folder;

std::string age(std::int64_t ms);  // "3 min"

// An answer as --json shows it.
template <class A>
void print_json(const A& answer) {
  std::cout << json_text(api::write(answer), 2) << '\n';
}

// Each adds its subcommands.
void add_run(CLI::App& app);
void add_status(CLI::App& app);
void add_lease(CLI::App& app);
void add_roster(CLI::App& app);
void add_tenant_keys(CLI::App* roster);  // rotate, recover, follow, delegate
void add_roster_show(CLI::App* roster);  // show, import
void add_setting(CLI::App& app);
void add_conflicts(CLI::App& app);
void add_dead_letter(CLI::App& app);
void add_pair(CLI::App& app);
void add_data(CLI::App& app);
void add_export(CLI::App& app);
void add_repair(CLI::App& app);
void add_doctor(CLI::App& app);
void add_operator(CLI::App& app);
void add_backup(CLI::App& app);
void add_demo(CLI::App& app);

}  // namespace tillsync::cli
