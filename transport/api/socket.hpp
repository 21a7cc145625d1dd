// The control socket: how the command line talks to a running till or cloud of the same user on the same machine. Lines
// of JSON over a Unix socket in the data folder: {"id": 1, "do": "status"} is answered {"id": 1, "ok": {...}} or {"id":
// 1, "error": {"kind": ..., "message": ...}}. Answers may come in another order than the questions. What can be asked:
// questions.hpp.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "transport/api/answering.hpp"

namespace tillsync {

// Called on the io_context's thread; `reply` once, there too.
using ControlReply = std::function<void(Result<Json>)>;
using ControlHandler = std::function<void(const Json& question, ControlReply reply)>;

// The user of this machine asks: whoever may open the socket owns the data folder.
ControlHandler for_user(std::shared_ptr<const api::Answering> answers);

class ControlServer {
 public:
  static constexpr std::size_t kMaxLine = 4 << 20;
  static constexpr std::size_t kMaxWaiting =
      4096;  // questions of one client: it is read no further until some are answered

  static Result<std::unique_ptr<ControlServer>> start(asio::io_context& io, const std::string& folder,
                                                      ControlHandler handler);
  void close();  // on the io_context's thread

 private:
  struct Client;
  ControlServer(asio::io_context& io, ControlHandler handler) : io_(io), handler_(std::move(handler)), acceptor_(io) {}
  asio::awaitable<void> accept_loop();
  asio::awaitable<void> serve(std::shared_ptr<Client> client);
  void handle_line(const std::shared_ptr<Client>& client, const std::string& line);
  void answer(const std::shared_ptr<Client>& client, const Json& id, Result<Json> result);

  asio::io_context& io_;
  ControlHandler handler_;
  asio::local::stream_protocol::acceptor acceptor_;
  std::set<std::shared_ptr<Client>> clients_;
};

// A blocking client for one thread.
class ControlClient {
 public:
  // Errors: not_found when nothing listens there.
  static Result<ControlClient> connect(const std::string& folder);

  // Asks and waits for the answer: client.ask(api::WhereRequest{"key"}).
  template <class R>
  Result<api::AnswerTo<R>> ask(const R& request) {
    return api::answer_from<api::AnswerTo<R>>(call(api::question_of(request)));
  }
  Result<Json> call(Json question);
  // Or several at a time: each answer names the id that send() gave its question.
  std::uint64_t send(Json question);
  Result<std::pair<std::uint64_t, Result<Json>>> receive();

 private:
  explicit ControlClient(std::unique_ptr<asio::io_context> io) : io_(std::move(io)), socket_(*io_) {}
  std::unique_ptr<asio::io_context> io_;
  asio::local::stream_protocol::socket socket_;
  std::string buffer_;
  std::uint64_t next_id_ = 1;
};

}  // namespace tillsync
