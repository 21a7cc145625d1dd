// tillsync till, tillsync cloud: the two that keep running.
#include <unistd.h>

#include <asio/signal_set.hpp>
#include <cstdlib>
#include <iostream>
#include <new>

#include "tools/cli/cli.hpp"
#include "transport/base/settings_edit.hpp"
#include "transport/cloud/cloud_control.hpp"
#include "transport/cloud/cloud_settings.hpp"
#include "transport/http/cloud_service.hpp"
#include "transport/http/till_service.hpp"
#include "transport/http/webhooks.hpp"
#include "transport/till/till_control.hpp"

namespace tillsync::cli {

namespace {

// A process that goes on after memory ran out may have lost a part of itself and look well. Whoever watches over it
// starts it again, and everything that was acknowledged is on disk.
void end_when_memory_runs_out() {
  std::set_new_handler([] {
    constexpr char kSentence[] = "memory ran out: this process ends, and is to be started again; nothing is lost\n";
    (void)!::write(STDERR_FILENO, kSentence, sizeof kSentence - 1);
    std::_Exit(1);
  });
}

void until_told_to_stop() {
  asio::io_context io;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([](asio::error_code, int) {});
  io.run();
}

struct TillArguments {
  std::string data, branch, till, listen, cloud, interface;
  std::vector<std::string> peers;
  bool verbose = false;
};

std::optional<Address> address_of(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(require(Address::parse(text)));
}

void init_till(const TillArguments& a) {
  auto folder = require(DataFolder::lock(a.data, true));
  require(prepare_settings(folder, a.branch, a.till));
  SettingsChange change{address_of(a.listen), address_of(a.cloud), {}, {}};
  if (!a.interface.empty()) change.interface = a.interface;
  for (const std::string& peer : a.peers) change.more_peers.push_back(require(parse_peer(peer)));
  const Settings settings = require(change_settings(folder, change));
  std::cout << settings.till.text << " of branch " << settings.branch.text << "\nkey "
            << require(load_identity(folder, true)).public_key().hex() << "\nEdit " << folder.file("till.toml")
            << " to change where it listens and what it connects to.\n";
}

void run_till(const TillArguments& a) {
  end_when_memory_runs_out();
  const std::string file = a.data + "/till.toml";
  const bool json = file_exists(file) && require(Settings::parse(require(read_file(file)), file)).json_log;
  const Log log = stderr_log("till", {a.verbose, json});
  auto till = require(TillRuntime::open({a.data, {}, {}, true, false, address_of(a.listen)}, log));
  auto control = require(ControlServer::start(till->io(), a.data, till_control(*till)));
  std::unique_ptr<HttpServer> http;
  if (till->settings().http.listen) http = require(start_till_service(*till, till->settings().http));
  std::cout << till->settings().till.text << " of branch " << till->settings().branch.text << " listens on port "
            << till->port() << std::endl;
  if (http) std::cout << "metrics on port " << http->port() << std::endl;
  until_told_to_stop();
  http.reset();
  till->ask([&] { return control->close(), true; });
  till.reset();
}

struct CloudArguments {
  std::string data, name, listen, store, http;
  bool verbose = false;
};

void init_cloud(const CloudArguments& a) {
  const auto folder = require(DataFolder::lock(a.data, true));
  const std::string key = require(load_identity(folder, true)).public_key().hex();
  std::cout << "key " << key
            << "\nAdd it to a branch's roster with 'tillsync roster add --role cloud --name cloud --key " << key
            << "'.\n";
}

void run_cloud(const CloudArguments& a) {
  end_when_memory_runs_out();
  CloudSettings settings = require(load_cloud_settings(a.data));
  if (!a.http.empty()) settings.http.listen = address_of(a.http);
  CloudRuntime::Options options;
  options.folder = a.data;
  options.name = a.name.empty() ? settings.name : require(TillId::parse(a.name));
  options.listen = a.listen.empty() ? settings.listen : *address_of(a.listen);
  options.create = false;
  options.store = a.store;
  options.limits = settings.limits;
  const Log log = stderr_log("cloud", {a.verbose, settings.json_log});
  auto cloud = require(CloudRuntime::open(options, log));
  auto control = require(ControlServer::start(cloud->io(), a.data, cloud_control(*cloud)));
  auto webhooks = std::make_unique<Webhooks>(*cloud, log);
  std::unique_ptr<CloudService> http;
  if (settings.http.listen) http = require(CloudService::start(*cloud, settings.http));
  std::cout << "cloud listens on port " << cloud->port() << std::endl;
  if (http) std::cout << "HTTP on port " << http->port() << std::endl;
  until_told_to_stop();
  http.reset();
  webhooks.reset();
  cloud->ask([&] { return control->close(), true; });
  cloud.reset();
}

}  // namespace

void add_run(CLI::App& app) {
  auto till = std::make_shared<TillArguments>();
  CLI::App* run = app.add_subcommand("till",
                                     "Run a till on its data folder until it is told to stop.\n"
                                     "Example: tillsync till --data /var/lib/shop/till-1");
  run->add_option("--data", till->data, "Its data folder");
  run->add_option("--listen", till->listen, "Instead of till.toml's address, such as 0.0.0.0:7700");
  run->add_flag("--verbose", till->verbose, "Log everything");
  CLI::App* init =
      run->add_subcommand("init",
                          "Make a data folder and this till's key, and show the key.\n"
                          "Example: tillsync till init --data /var/lib/shop/till-1 --branch main-street --till till-1");
  init->add_option("--data", till->data, "The data folder to make")->required();
  init->add_option("--branch", till->branch, "The branch's name: a-z, 0-9 and '-'")->required();
  init->add_option("--till", till->till, "This till's name")->required();
  init->add_option("--listen", till->listen, "Where it listens (0.0.0.0:7700)");
  init->add_option("--cloud", till->cloud, "The cloud's HOST:PORT");
  init->add_option("--peer", till->peers, "NAME@HOST:PORT of another till, where multicast is blocked");
  init->add_option("--interface", till->interface, "The one network interface for mDNS");
  init->callback([till] { init_till(*till); });
  run->callback([till, run] {
    if (!run->get_subcommands().empty()) return;
    if (till->data.empty()) throw Failure{"which till? Name its data folder with --data FOLDER"};
    run_till(*till);
  });

  auto cloud = std::make_shared<CloudArguments>();
  CLI::App* serve = app.add_subcommand("cloud",
                                       "Run the cloud on its data folder until it is told to stop.\n"
                                       "Example: tillsync cloud --data /var/lib/tillsync-cloud --listen 0.0.0.0:7800");
  serve->add_option("--data", cloud->data, "Its data folder");
  serve->add_option("--listen", cloud->listen, "HOST:PORT for tills, instead of cloud.toml's (0.0.0.0:7800)");
  serve->add_option("--http", cloud->http, "HOST:PORT for HTTP, instead of cloud.toml's (none)");
  serve
      ->add_option(
          "--store", cloud->store,
          "postgresql://USER@HOST:PORT/DATABASE, or postgresql alone for the server that PGHOST names: for several "
          "processes; LMDB in the data folder when left out")
      ->check([](const std::string& store) {
        return store.empty() ? std::string("name a database, or leave --store out for LMDB in the data folder")
                             : std::string();
      })
      ->envname("TILLSYNC_STORE");
  serve->add_option("--name", cloud->name,
                    "Its name, instead of cloud.toml's (cloud); a tenant's rosters may have another");
  serve->add_flag("--verbose", cloud->verbose, "Log everything");
  CLI::App* make = serve->add_subcommand("init",
                                         "Make a data folder and the cloud's key, and show the key.\n"
                                         "Example: tillsync cloud init --data /var/lib/tillsync-cloud");
  make->add_option("--data", cloud->data, "The data folder to make")->required();
  make->callback([cloud] { init_cloud(*cloud); });
  serve->callback([cloud, serve] {
    if (!serve->get_subcommands().empty()) return;
    if (cloud->data.empty()) throw Failure{"which cloud? Name its data folder with --data FOLDER"};
    run_cloud(*cloud);
  });
}

}  // namespace tillsync::cli
