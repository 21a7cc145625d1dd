// Times tillsync beside what its users would otherwise pick, on the disk of the folder that is named.
//
//   build/tillsync_bench --only record --where /var/tmp
#include "tests/bench/bench.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>

#include "storage/disk/data_folder.hpp"
#include "tests/scratch.hpp"
#include "tools/client/failure.hpp"
#include "tools/client/memory.hpp"
#include "tools/demo/fleet.hpp"

using namespace tillsync;
using namespace tillsync::bench;

int main(int argc, char** argv) {
  client::keep_freed_memory();  // as the programs do; the references have it as well
  Options o;
  std::string only, json, where = std::filesystem::temp_directory_path();
  CLI::App app("Times tillsync beside what its users would otherwise pick. Judges nothing: machines differ.");
  app.add_flag("--small", o.small, "Seconds instead of minutes: only to see that it works");
  app.add_option("--only", only, "record, drain, pull, fold or day");
  app.add_option("--where", where, "A folder on the disk to be measured")->capture_default_str();
  app.add_option("--json", json, "Write the figures to this file as well");
  CLI11_PARSE(app, argc, argv);
  const std::map<std::string, std::vector<Figure> (*)(const Options&)> topics{
      {"record", bench_record}, {"drain", bench_drain}, {"pull", bench_pull}, {"fold", bench_fold}, {"day", bench_day}};
  if (!only.empty() && !topics.contains(only)) {
    std::cerr << "there is no bench '" << only << "': name record, drain, pull, fold or day\n";
    return 2;
  }
  if (!std::filesystem::is_directory(where)) {
    std::cerr << "there is no folder '" << where << "': name one on the disk to be measured, or make it first\n";
    return 2;
  }
  o.program = client::this_program().substr(0, client::this_program().rfind('/')) + "/tillsync";
  return in_a_sentence([&] {
    std::vector<Figure> all;
    for (const auto& [name, run] : topics) {
      if (!only.empty() && name != only) continue;
      std::cerr << "measuring: " << name << '\n';
      test::Folder folder(where);
      o.where = folder.path;
      const auto figures = run(o);
      print_table(std::cout, figures);
      all.insert(all.end(), figures.begin(), figures.end());
    }
    nlohmann::json report = nlohmann::json::array();
    for (const Figure& each : all) report.push_back(each.json());
    if (!json.empty()) client::require(replace_file(json, report.dump(2) + "\n"));
  });
}
