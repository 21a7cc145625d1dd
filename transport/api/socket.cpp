#include "transport/api/socket.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include "transport/api/errors.hpp"
#include "transport/net/as_tuple.hpp"

namespace tillsync {

using asio::local::stream_protocol;

namespace {

// A Unix socket's path is at most 107 bytes: reached through the folder's descriptor, a data folder may lie as deep as
// it likes.
class ShortPath {
 public:
  explicit ShortPath(const std::string& folder) : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~ShortPath() {
    if (fd_ >= 0) ::close(fd_);
  }
  ShortPath(const ShortPath&) = delete;
  ShortPath& operator=(const ShortPath&) = delete;
  std::string socket() const { return "/proc/self/fd/" + std::to_string(fd_) + "/control.sock"; }

 private:
  int fd_;
};

}  // namespace

struct ControlServer::Client {
  explicit Client(stream_protocol::socket s) : socket(std::move(s)), wake(socket.get_executor()) {}
  stream_protocol::socket socket;
  std::string out;
  bool writing = false;
  std::size_t waiting = 0;
  asio::steady_timer wake;
};

ControlHandler for_user(std::shared_ptr<const api::Answering> answers) {
  return [answers = std::move(answers)](const Json& question, ControlReply reply) {
    answers->ask({}, question, std::move(reply));
  };
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(asio::io_context& io, const std::string& folder,
                                                            ControlHandler handler) {
  std::unique_ptr<ControlServer> server(new ControlServer(io, std::move(handler)));
  const ShortPath path(folder);
  ::unlink(path.socket().c_str());  // a crashed process leaves it; the folder's lock says that there is no other
  const mode_t before = ::umask(0077);
  asio::error_code error;
  server->acceptor_.open(stream_protocol(), error);
  if (!error) server->acceptor_.bind(stream_protocol::endpoint(path.socket()), error);
  if (!error) server->acceptor_.listen(asio::socket_base::max_listen_connections, error);
  ::umask(before);
  if (error) return fail(ErrorKind::refused, "can't make the control socket in " + folder + ": " + error.message());
  asio::co_spawn(io, server->accept_loop(), asio::detached);
  return server;
}

void ControlServer::close() {
  acceptor_.close();
  for (const auto& client : clients_) client->socket.close(), client->wake.cancel();
}

asio::awaitable<void> ControlServer::accept_loop() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(kTuple);
    if (error) co_return;
    auto client = std::make_shared<Client>(std::move(socket));
    clients_.insert(client);
    asio::co_spawn(io_, serve(client), asio::detached);
  }
}

asio::awaitable<void> ControlServer::serve(std::shared_ptr<Client> client) {
  std::string buffer;
  while (client->socket.is_open()) {
    auto [error, n] =
        co_await asio::async_read_until(client->socket, asio::dynamic_buffer(buffer, kMaxLine), '\n', kTuple);
    if (error) break;
    handle_line(client, buffer.substr(0, n - 1));
    buffer.erase(0, n);
    while (client->waiting >= kMaxWaiting && client->socket.is_open()) {
      client->wake.expires_at(asio::steady_timer::time_point::max());
      co_await client->wake.async_wait(kTuple);
    }
  }
  clients_.erase(client);
}

void ControlServer::handle_line(const std::shared_ptr<Client>& client, const std::string& line) {
  const auto question = parse_json(line);
  if (!question || !question->is_object())
    return answer(client, nullptr, fail(ErrorKind::invalid, "a question is one JSON object on one line"));
  ++client->waiting;
  const Json id = question->value("id", Json());
  handler_(*question, [this, client, id](Result<Json> result) {
    --client->waiting;
    answer(client, id, std::move(result));
    client->wake.cancel();
  });
}

void ControlServer::answer(const std::shared_ptr<Client>& client, const Json& id, Result<Json> result) {
  Json out{{"id", id}};
  if (result) {
    out["ok"] = std::move(*result);
  } else {
    out["error"] = to_json(result.error(), Detail::shown);
  }
  client->out += json_text(out) + "\n";
  if (std::exchange(client->writing, true)) return;
  auto write = [](std::shared_ptr<Client> c) -> asio::awaitable<void> {
    while (!c->out.empty()) {
      const std::string lines = std::exchange(c->out, {});
      auto [error, n] = co_await asio::async_write(c->socket, asio::buffer(lines), kTuple);
      if (error) break;
    }
    c->writing = false;
  };
  asio::co_spawn(io_, write(client), asio::detached);
}

Result<ControlClient> ControlClient::connect(const std::string& folder) {
  ControlClient client(std::make_unique<asio::io_context>());
  const ShortPath path(folder);
  asio::error_code error;
  client.socket_.connect(stream_protocol::endpoint(path.socket()), error);
  if (error)
    return fail(ErrorKind::not_found,
                "nothing runs on the data folder " + folder + ": start it first, or check --data");
  return client;
}

std::uint64_t ControlClient::send(Json question) {
  question["id"] = next_id_;
  const std::string line = json_text(question) + "\n";
  asio::error_code error;  // a server that is gone shows at receive()
  asio::write(socket_, asio::buffer(line), error);
  return next_id_++;
}

Result<std::pair<std::uint64_t, Result<Json>>> ControlClient::receive() {
  asio::error_code error;
  const std::size_t n = asio::read_until(socket_, asio::dynamic_buffer(buffer_), '\n', error);
  if (error) return fail(ErrorKind::closed, "the process on the other side has ended: look at its log");
  const Json answer = parse_json(std::string_view(buffer_).substr(0, n - 1)).value_or(Json());
  buffer_.erase(0, n);
  if (!answer.is_object()) return fail(ErrorKind::closed, "the other side does not speak tillsync's control protocol");
  const std::uint64_t id = answer.value("id", Json(0)).is_number() ? answer["id"].get<std::uint64_t>() : 0;
  if (answer.contains("ok")) return std::pair(id, Result<Json>(answer["ok"]));
  return std::pair(id, Result<Json>(tl::unexpected(error_from(answer.value("error", Json::object())))));
}

Result<Json> ControlClient::call(Json question) {
  const std::uint64_t id = send(std::move(question));
  for (;;) {
    auto answer = receive();
    if (!answer) return tl::unexpected(answer.error());
    if (answer->first == id) return std::move(answer->second);
  }
}

}  // namespace tillsync
