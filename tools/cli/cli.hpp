// What the subcommands share that are about a data folder: how it is asked, whether anything runs on it or not.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "storage/base/thousandths.hpp"
#include "tools/cli/command.hpp"
#include "tools/client/sales/sales_file.hpp"
#include "transport/api/socket.hpp"

namespace tillsync::cli {

// Whoever answers for a data folder: the process that runs on it, or, when there is none, this one, which then opens
// the folder without a network.
class Folder {
 public:
  explicit Folder(const std::string& path);
  ~Folder();
  Json ask(Json question);
  bool is_cloud() const { return cloud_; }
  bool running() const { return client_ != nullptr; }

 private:
  struct InProcess;
  Result<void> open_here(const std::string& path);
  std::unique_ptr<ControlClient> client_;
  std::unique_ptr<InProcess> own_;
  bool cloud_ = false;
};

bool is_cloud_folder(const std::string& path);  // Failure when it is neither a cloud's nor a till's

// Every page of the ops that a till holds, or the cloud of one branch.
void all_ops(Folder& folder, const std::string& branch, const std::function<void(const Json&)>& visit);

Roster read_roster(const std::string& path);
std::string age(std::int64_t ms);  // "3 min"
inline std::string text(const Json& value) { return value.get<std::string>(); }

// --column NAME=HEADER, given any number of times.
std::map<std::string, std::string> column_names(const std::vector<std::string>& options);
void report_bad_rows(const sales::SalesFile& file);  // on stderr, with line numbers

// Each adds its subcommands.
void add_run(CLI::App& app);
void add_status(CLI::App& app);
void add_lease(CLI::App& app);
void add_roster(CLI::App& app);
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
