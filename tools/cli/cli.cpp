#include "tools/cli/cli.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <iostream>

#include "transport/cloud/cloud_control.hpp"
#include "transport/till/till_control.hpp"

namespace tillsync::cli {

struct Folder::InProcess {
  std::unique_ptr<TillRuntime> till;
  std::unique_ptr<CloudRuntime> cloud;
  ControlHandler handler;
};

bool is_cloud_folder(const std::string& path) {
  if (!std::filesystem::is_directory(path))
    throw Failure{"there is no data folder at " + path + ": check the path given with --data"};
  const bool till = file_exists(path + "/till.toml"), cloud = !till && file_exists(path + "/identity.key");
  if (!till && !cloud)
    throw Failure{path + " is no data folder of a till or a cloud: check the path given with --data"};
  return cloud;
}

Folder::Folder(const std::string& path) : cloud_(is_cloud_folder(path)) {
  constexpr auto kPatience = std::chrono::seconds(5);  // for a process that is starting: it answers soon
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    if (auto client = ControlClient::connect(path)) {
      client_ = std::make_unique<ControlClient>(std::move(*client));
      return;
    }
    auto opened = open_here(path);
    if (opened) return;
    const bool starting = opened.error().kind == ErrorKind::locked && std::chrono::steady_clock::now() < until;
    if (!starting) require(std::move(opened));
  }
}

Result<void> Folder::open_here(const std::string& path) {
  auto own = std::make_unique<InProcess>();
  const Log quiet = [](const Notice& notice) {
    if (notice.weight == Notice::Weight::error) std::cerr << notice.text << '\n';
  };
  if (cloud_) {
    CloudRuntime::Options options;
    options.folder = path;
    options.network = options.create = false;
    auto cloud = CloudRuntime::open(options, quiet);
    if (!cloud) return tl::unexpected(cloud.error());
    own->cloud = std::move(*cloud);
    own->handler = cloud_control(*own->cloud);
  } else {
    auto till = TillRuntime::open({path, {}, {}, false, false, {}}, quiet);
    if (!till) return tl::unexpected(till.error());
    own->till = std::move(*till);
    own->handler = till_control(*own->till);
  }
  own_ = std::move(own);
  return {};
}

Folder::~Folder() = default;

Json Folder::ask(Json question) {
  if (client_) return require(client_->call(std::move(question)));
  auto answered = std::make_shared<std::promise<Result<Json>>>();
  auto answer = answered->get_future();
  auto work = [&] {
    own_->handler(question, [answered](Result<Json> result) { answered->set_value(std::move(result)); });
  };
  asio::post(own_->till ? own_->till->io() : own_->cloud->io(), work);
  return require(answer.get());
}

void all_ops(Folder& folder, const std::string& branch, const std::function<void(const Json&)>& visit) {
  auto pages = [&](Json question) {
    for (bool more = true; more;) {
      const Json page = folder.ask(question);
      for (const Json& op : page["ops"]) visit(op);
      more = page["more"] && !page["ops"].empty();
      if (!more) return;
      question["incarnation"] = page["ops"].back()["incarnation"];
      question["from"] = page["ops"].back()["seq"].get<std::uint64_t>() + 1;
    }
  };
  if (!folder.is_cloud()) return pages({{"do", "ops"}});
  for (const Json& chain : folder.ask({{"do", "chains"}, {"branch", branch}})) {
    pages({{"do", "ops"},
           {"branch", branch},
           {"till", chain["till"]},
           {"incarnation", chain["incarnation"]},
           {"from", 1}});
  }
}

Roster read_roster(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) throw Failure{"can't read the roster " + path + ": check the path"};
  auto roster = Roster::decode(*bytes);
  if (!roster) throw Failure{path + " is no roster signed by its tenant: fetch it again"};
  return std::move(*roster);
}

std::string age(std::int64_t ms) {
  const std::int64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  return s < 172800 ? std::to_string(s / 3600) + " h" : std::to_string(s / 86400) + " days";
}

}  // namespace tillsync::cli
