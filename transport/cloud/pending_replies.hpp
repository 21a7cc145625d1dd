// Who waits for a request to a cloud's core: each is answered once, and not kept waiting for ever.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>

#include "engine/cloud/cloud_job.hpp"

namespace tillsync {

// On the thread of the io_context only.
class PendingReplies {
 public:
  // A database that is away is tried until it works. Who asked hears after this long that it is not done yet.
  static constexpr Duration kPatience = seconds(30);

  explicit PendingReplies(asio::io_context& io) : io_(io) {}
  using Done = std::function<void(Result<std::uint64_t>)>;
  ReplyTo add(Done done);
  void answer(CloudReply reply);
  void clear() { waiting_.clear(); }  // nobody is answered any more

 private:
  struct Waiting {
    Done done;
    std::unique_ptr<asio::steady_timer> patience;
  };
  asio::io_context& io_;
  std::map<ReplyTo, Waiting> waiting_;
  std::uint64_t last_ = 0;
};

}  // namespace tillsync
