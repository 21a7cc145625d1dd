#include "tools/client/folder.hpp"

#include <chrono>
#include <filesystem>
#include <future>
#include <iostream>
#include <thread>

#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_control.hpp"
#include "transport/till/stopped_till.hpp"
#include "transport/till/till_control.hpp"

namespace tillsync::client {

namespace {

constexpr auto kStartTime = std::chrono::seconds(5);  // for a process that is starting: it answers soon
constexpr auto kLookAgain = std::chrono::milliseconds(20);

void log_errors(const Notice& notice) {
  if (notice.weight == Notice::Weight::error) std::cerr << notice.text << '\n';
}

}  // namespace

// A till or a cloud in this process, without a network.
class Folder::Opened {
 public:
  static Result<std::unique_ptr<Opened>> open(const std::string& path, bool cloud) {
    auto out = std::make_unique<Opened>();
    if (cloud) {
      CloudRuntime::Options options;
      options.folder = path;
      options.network = options.create = false;
      auto opened = CloudRuntime::open(options, log_errors);
      if (!opened) return tl::unexpected(opened.error());
      out->cloud_ = std::move(*opened);
      out->handler_ = cloud_control(*out->cloud_);
    } else {
      auto opened = TillRuntime::open({path, {}, {}, false, false, {}}, log_errors);
      if (!opened) return tl::unexpected(opened.error());
      out->till_ = std::move(*opened);
      out->handler_ = till_control(*out->till_);
    }
    return out;
  }

  Result<Json> call(const Json& question) {
    auto answered = std::make_shared<std::promise<Result<Json>>>();
    auto answer = answered->get_future();
    asio::post(till_ ? till_->io() : cloud_->io(), [&] {
      handler_(question, [answered](Result<Json> result) { answered->set_value(std::move(result)); });
    });
    return answer.get();
  }

 private:
  std::unique_ptr<TillRuntime> till_;
  std::unique_ptr<CloudRuntime> cloud_;
  ControlHandler handler_;
};

class Folder::Looked {
 public:
  explicit Looked(std::unique_ptr<StoppedTill> till) : till_(std::move(till)) {}
  Result<Json> call(const Json& question) const { return till_->ask(question); }

 private:
  std::unique_ptr<StoppedTill> till_;
};

Folder::Folder(const std::string& path) : path_(path), cloud_(is_cloud_folder(path)) { require(find(true)); }

Folder::~Folder() = default;

// Whoever may answer by now. One that has locked the folder and does not answer yet is starting.
Result<void> Folder::find(bool reads) {
  const auto until = std::chrono::steady_clock::now() + kStartTime;
  for (;;) {
    if (auto client = ControlClient::connect(path_)) {
      client_ = std::make_unique<ControlClient>(std::move(*client));
      looked_.reset();
      return {};
    }
    Result<void> done;
    if (reads && !cloud_) {
      if (DataFolder::in_use(path_)) {
        done =
            fail(ErrorKind::locked, "a process uses the data folder " + path_ + " and does not answer: stop it first");
      } else if (auto till = StoppedTill::look(path_)) {
        looked_ = std::make_unique<Looked>(std::move(*till));
      } else {
        done = tl::unexpected(till.error());
      }
    } else {
      auto opened = Opened::open(path_, cloud_);
      opened ? void(opened_ = std::move(*opened)) : void(done = tl::unexpected(opened.error()));
      if (done) looked_.reset();
    }
    const bool starting = !done && done.error().kind == ErrorKind::locked;
    if (!starting || std::chrono::steady_clock::now() >= until) return done;
    std::this_thread::sleep_for(kLookAgain);
  }
}

Result<Json> Folder::call(const Json& question, bool reads) {
  if (looked_ && reads) {
    auto answer = looked_->call(question);
    if (answer || answer.error().kind != ErrorKind::locked) return answer;
    looked_.reset();
  }
  if (!client_ && !opened_) {
    if (auto found = find(reads); !found) return tl::unexpected(found.error());
  }
  return client_ ? client_->call(question) : opened_ ? opened_->call(question) : looked_->call(question);
}

bool is_cloud_folder(const std::string& path) {
  if (!std::filesystem::is_directory(path))
    throw Failure{"there is no data folder at " + path + ": check the path given with --data"};
  const bool till = file_exists(path + "/till.toml"), cloud = !till && file_exists(path + "/identity.key");
  if (!till && !cloud)
    throw Failure{path + " is no data folder of a till or a cloud: check the path given with --data"};
  return cloud;
}

void all_ops(Folder& folder, const std::string& branch, const std::function<void(const api::OpView&)>& visit) {
  const auto pages = [&](api::OpsRequest question) {
    for (bool more = true; more;) {
      const api::OpsPage page = require(folder.ask(question));
      for (const api::OpView& op : page.ops) visit(op);
      more = page.more && !page.ops.empty();
      if (!more) return;
      question.incarnation = page.ops.back().incarnation;
      question.from = page.ops.back().seq.next();
    }
  };
  if (!folder.is_cloud()) return pages({});
  for (const api::ChainView& chain : require(folder.ask(api::ChainsRequest{{branch}})))
    pages({{branch}, chain.till, chain.incarnation, Seq{1}});
}

Roster read_roster(const std::string& path) {
  auto bytes = read_file(path);
  if (!bytes) throw Failure{"can't read the roster " + path + ": check the path"};
  auto roster = Roster::decode(*bytes);
  if (!roster) throw Failure{path + " is no roster signed by its tenant: fetch it again"};
  return std::move(*roster);
}

SecretKey read_secret(const std::string& path) {
  std::string text = require(read_file(path));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return require(SecretKey::from_hex(text));
}

}  // namespace tillsync::client
