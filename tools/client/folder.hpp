// A data folder, and whoever answers for it: the process that runs on it, or, when there is none, this one.
//
//   client::Folder folder("/var/lib/shop/till-1");
//   const auto status = client::require(folder.ask(api::StatusRequest{}));
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lease/roster.hpp"
#include "tools/client/failure.hpp"
#include "transport/api/socket.hpp"

namespace tillsync::client {

// A till that does not run is looked at, and nothing of it is locked or changed, until something is asked that writes:
// then its folder is opened without a network, as a cloud's always is.
class Folder {
 public:
  // Failure: no data folder, or one that stays locked by a process that does not answer.
  explicit Folder(const std::string& path);
  ~Folder();

  template <class R>
  Result<api::AnswerTo<R>> ask(const R& request) {
    return api::answer_from<api::AnswerTo<R>>(call(api::question_of(request), api::LineOf<R>::kReads));
  }
  // A question as JSON: what ask() sends, and what is answered.
  Result<Json> call(const Json& question, bool reads);

  bool is_cloud() const { return cloud_; }
  bool running() const { return client_ != nullptr; }

 private:
  class Opened;
  class Looked;
  Result<void> find(bool reads);
  std::string path_;
  bool cloud_ = false;
  std::unique_ptr<ControlClient> client_;
  std::unique_ptr<Looked> looked_;
  std::unique_ptr<Opened> opened_;
};

bool is_cloud_folder(const std::string& path);  // Failure when it is neither a cloud's nor a till's

// Every page of the ops that a till holds, or the cloud of one branch.
void all_ops(Folder& folder, const std::string& branch, const std::function<void(const api::OpView&)>& visit);

Roster read_roster(const std::string& path);
SecretKey read_secret(const std::string& path);

}  // namespace tillsync::client
