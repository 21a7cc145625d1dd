// A cloud's HTTP service: what each path answers is listed in docs/running-a-cloud.md. Every request but /live and
// /ready carries an operator's key, and may what its role may (engine/cloud/rights.hpp), of its own tenant.
#pragma once

#include <mutex>

#include "engine/cloud/operators.hpp"
#include "transport/cloud/cloud_control.hpp"
#include "transport/http/server.hpp"

namespace tillsync {

class CloudService {
 public:
  static Result<std::unique_ptr<CloudService>> start(CloudRuntime& cloud, const HttpSettings& settings);
  std::uint16_t port() const { return server_->port(); }

 private:
  explicit CloudService(CloudRuntime& cloud) : cloud_(cloud), answers_(answers_of(cloud)) {}
  void add_routes(httplib::Server& server);
  // Who asks, if the key has the right; otherwise the response says why not. allowed() counts the request, too.
  std::optional<Operator> permitted(const httplib::Request& request, httplib::Response& response, Right right);
  std::optional<Operator> allowed(const httplib::Request& request, httplib::Response& response, Right right);
  bool welcome(const Operator& who, httplib::Response& response);
  void import(const Operator& who, const httplib::Request& request, httplib::Response& response,
              const httplib::ContentReader& body);
  Result<std::uint64_t> import_batch(const std::string& tenant, ImportBatch batch);  // waits until it is done
  // The same question as on the control socket (transport/api/questions.hpp), of the key's own tenant.
  template <class R>
  void serve(const httplib::Request& in, httplib::Response& out, const R& question);
  Result<Json> ask(const Operator& who, const Json& question);
  std::vector<BranchKey> shops_of(const std::string& tenant);
  void count(const BranchKey& shop, Refused why, std::uint64_t times = 1);
  bool alive();
  std::optional<std::string> not_ready();

  CloudRuntime& cloud_;
  std::shared_ptr<const api::Answering> answers_;
  std::mutex mutex_;
  std::map<std::string, Meter> requests_;  // by key
  std::unique_ptr<HttpServer> server_;     // last: it ends first
};

}  // namespace tillsync
