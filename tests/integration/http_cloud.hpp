// A cloud with HTTP on a port of its own, and any number of tenants.
#pragma once

#include "tests/integration/shop.hpp"

namespace tillsync::test {

int free_port();  // on loopback, a moment ago

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpCloud {
 public:
  HttpCloud();
  void add_tenant(const std::string& tenant, const std::string& branch);
  std::string key(const std::string& role, const std::string& tenant);
  HttpAnswer get(const std::string& path, const std::string& key);
  HttpAnswer post(const std::string& path, const std::string& key, const std::string& body);
  template <class R>
  api::AnswerTo<R> ask(const R& request) {
    return process_->ask(request);
  }
  int port() const { return port_; }
  std::string folder() const { return f / "cloud"; }
  int pid() const { return process_->pid(); }

  const Folder f;

 private:
  int port_;
  std::optional<client::Process> process_;
};

}  // namespace tillsync::test
