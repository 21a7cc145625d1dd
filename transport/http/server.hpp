// One HTTP listener, over TLS where a certificate is given. Handlers run on the server's own threads, a few at a time;
// a request that nobody answers, or that may not be answered, is turned away before its body is read.
#pragma once

#include <httplib.h>

#include <memory>
#include <thread>

#include "transport/base/settings.hpp"

namespace tillsync {

class HttpServer {
 public:
  using Routes = std::function<void(httplib::Server&)>;
  // True when it may go on; otherwise the response says why not.
  using Gate = std::function<bool(const httplib::Request&, httplib::Response&)>;

  // Errors: invalid, when keys would cross a network in the clear; refused, when the address can't be used.
  static Result<std::unique_ptr<HttpServer>> start(const HttpSettings& settings, Gate gate, const Routes& routes);
  ~HttpServer();
  std::uint16_t port() const { return port_; }

 private:
  HttpServer() = default;
  std::unique_ptr<httplib::Server> server_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

// What follows "Authorization: Bearer "; empty without.
std::string bearer(const httplib::Request& request);
void answer_json(httplib::Response& response, int status, const std::string& json);
// {"error": {"kind": ..., "message": ...}}
void answer_error(httplib::Response& response, int status, ErrorKind kind, const std::string& sentence);
void answer_error(httplib::Response& response, const Error& error);

}  // namespace tillsync
