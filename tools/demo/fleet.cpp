#include "tools/demo/fleet.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>
#include <utility>

#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync::demo {

namespace {

constexpr auto kPatience = std::chrono::seconds(15);

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& each : command) argv.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

std::string this_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

Process::Process(std::string name, std::string folder, std::vector<std::string> command)
    : name_(std::move(name)), folder_(std::move(folder)), command_(std::move(command)) {}

Process::Process(Process&& other) noexcept
    : name_(std::move(other.name_)),
      folder_(std::move(other.folder_)),
      command_(std::move(other.command_)),
      pid_(std::exchange(other.pid_, -1)) {}

Process::~Process() {
  if (pid_ > 0) kill();
}

void Process::start() {
  const std::string log = folder_ + ".log";
  pid_ = ::fork();
  if (pid_ == 0) become(command_, log);
  if (pid_ < 0) throw cli::Failure{"can't start another process: close some programs, then try again"};
}

void Process::listen_on(int port) { command_.back() = "127.0.0.1:" + std::to_string(port); }

void Process::kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Process::pause() { ::kill(pid_, SIGSTOP); }
void Process::resume() { ::kill(pid_, SIGCONT); }

bool Process::alive() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

namespace {
std::string end_of(const std::string& path) {
  const std::string text = read_file(path).value_or(std::string());
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 600));
}
}  // namespace

ControlClient Process::connect() const {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    if (auto client = ControlClient::connect(folder_)) return std::move(*client);
    if (std::chrono::steady_clock::now() >= until)
      throw cli::Failure{name_ + " did not start: look at " + folder_ + ".log; it ends: " + end_of(folder_ + ".log")};
    nap();
  }
}

Fleet::Fleet(int tills, const std::string& where, const std::string& program, const std::string& store)
    : folder_(where) {
  const SecretKey tenant = fresh_secret();
  Roster roster;
  roster.tenant = "Demo";
  roster.keys = TenantKeys::founded(tenant.public_key(), fresh_secret().public_key());
  roster.branch = BranchId{"demo"};
  auto cloud_folder = cli::require(DataFolder::lock(folder_ + "/cloud", true));
  roster.add(
      {TillId{"cloud"}, Binary(cli::require(load_identity(cloud_folder, true)).public_key().view()), Role::cloud, 0});
  std::vector<DataFolder> folders;
  for (int i = 1; i <= tills; ++i) {
    const std::string name = std::string(i < 10 ? "till-0" : "till-") + std::to_string(i);
    folders.push_back(cli::require(DataFolder::lock(folder_ + "/" + name, true)));
    const SecretKey key = cli::require(load_identity(folders.back(), true));
    roster.add({TillId{name}, Binary(key.public_key().view()), Role::till, 1});
  }
  roster.sign(tenant);
  std::filesystem::create_directories(folder_ + "/cloud/rosters");
  cli::require(replace_file(folder_ + "/cloud/rosters/demo.roster", roster.encoded()));
  { const DataFolder unlock = std::move(cloud_folder); }
  std::vector<std::string> serve{program, "cloud", "--data", folder_ + "/cloud"};
  if (!store.empty()) serve.insert(serve.end(), {"--store", store});
  serve.insert(serve.end(), {"--listen", "127.0.0.1:0"});
  members_.emplace_back("cloud", folder_ + "/cloud", serve);
  cloud().start();
  const int port = cli::require(cloud().connect().call({{"do", "status"}}))["port"];
  cloud().listen_on(port);
  for (DataFolder& folder : folders) {
    const std::string path = folder.path(), name = path.substr(path.rfind('/') + 1);
    Settings settings;
    settings.branch = roster.branch;
    settings.till = TillId{name};
    settings.listen = {"127.0.0.1", 0};
    settings.cloud.emplace(Address{"127.0.0.1", static_cast<std::uint16_t>(port)});
    settings.interface = "lo";
    cli::require(replace_file(folder.file("till.toml"), settings.toml()));
    cli::require(replace_file(folder.file("roster.bin"), roster.encoded()));
    members_.emplace_back(name, path, std::vector<std::string>{program, "till", "--data", path});
  }
  folders.clear();  // unlocked before the first is started: a child has copies of its parent's locks until it execs
  for (std::size_t i = 0; i < this->tills(); ++i) till(i).start();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto elected = host();
    if (elected && cli::require(till(*elected).connect().call({{"do", "status"}}))["cloud_connected"]) return;
    if (std::chrono::steady_clock::now() >= until) {
      throw cli::Failure{
          "the tills did not find each other within 15 s: is multicast blocked on the loopback interface? The logs are "
          "in " +
          folder_};
    }
    nap();
  }
}

Fleet::~Fleet() = default;

std::optional<std::size_t> Fleet::host(std::optional<std::size_t> except) {
  std::string name;
  for (std::size_t i = 0; i < tills(); ++i) {
    if (i == except || !till(i).running()) continue;
    const Json lease = cli::require(till(i).connect().call({{"do", "lease"}}));
    const std::string each = lease["host"];
    if (each.empty() || (!name.empty() && each != name)) return std::nullopt;
    if (tills() > 1 && lease["kind"] != "exclusive") return std::nullopt;
    name = each;
  }
  for (std::size_t i = 0; i < tills(); ++i) {
    if (till(i).name() == name && i != except) return i;
  }
  return std::nullopt;
}

}  // namespace tillsync::demo
