#include "transport/till/fitness.hpp"

#include <filesystem>
#include <fstream>
#include <tillsync/time.hpp>

#include "transport/base/clock.hpp"

namespace tillsync {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kRoom = 1ULL << 30;
constexpr Duration kSettled = std::chrono::minutes(10);

std::string word_in(const fs::path& file) {
  std::string word;
  std::ifstream(file) >> word;
  return word;
}

bool on_battery(const fs::path& supplies) {
  bool battery = false, mains = false;
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator(supplies, ignored)) {
    battery =
        battery || (word_in(each.path() / "type") == "Battery" && word_in(each.path() / "status") == "Discharging");
    mains = mains || (word_in(each.path() / "type") == "Mains" && word_in(each.path() / "online") == "1");
  }
  return battery && !mains;
}

// Wi-Fi is up, and nothing else that leaves the machine.
bool wireless_only(const fs::path& interfaces) {
  bool wireless = false, wired = false;
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator(interfaces, ignored)) {
    if (each.path().filename() == "lo" || word_in(each.path() / "operstate") != "up") continue;
    (fs::exists(each.path() / "wireless", ignored) ? wireless : wired) = true;
  }
  return wireless && !wired;
}

}  // namespace

Fitness read_fitness(const std::string& data_folder, const std::string& sys) {
  Fitness fitness;
  std::error_code unknown;
  const fs::space_info space = fs::space(data_folder, unknown);
  fitness.room = unknown || space.available >= kRoom;
  fitness.mains = !on_battery(fs::path(sys) / "class/power_supply");
  fitness.wired = !wireless_only(fs::path(sys) / "class/net");
  fitness.settled = read_clock().mono.since_boot >= kSettled;
  return fitness;
}

}  // namespace tillsync
