// What a core wants done. The order is a contract: a core first asks for what must be durable (append, commit) and
// hands out what depends on it (sends, replies) only once on_appended or on_committed has reported the flush. So
// whoever carries out an Actions may do its parts at once and in any order, and may crash anywhere between them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/wire/messages.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

using PeerId = Number<struct PeerTag>;    // one connection; never reused
using ReplyTo = Number<struct ReplyTag>;  // one waiting caller

struct Notice {
  enum class Weight { info, warning, error } weight = Weight::info;
  std::string text;
};

struct Actions {
  std::optional<std::vector<Bytes>> append;  // one journal batch: append, flush, on_appended
  std::shared_ptr<const StoreBatch> commit;  // one database transaction: commit, on_committed
  struct Send {
    PeerId to;
    Message message;
  };
  std::vector<Send> sends;
  struct Reply {
    ReplyTo to;
    Result<Receipt> result;
  };
  std::vector<Reply> replies;
  struct LevelReply {
    ReplyTo to;
    Result<Level> result;
  };
  std::vector<LevelReply> level_replies;
  struct DoneReply {
    ReplyTo to;
    Result<void> result;
  };
  std::vector<DoneReply> done_replies;
  std::vector<Notice> notices;
  std::vector<PeerId> hang_up;
  bool roster_changed = false;  // the shell keeps a copy beside the database and lets strangers go

  bool none() const {
    return !append && !commit && sends.empty() && replies.empty() && level_replies.empty() && done_replies.empty() &&
           notices.empty() && hang_up.empty() && !roster_changed;
  }
  void send(PeerId to, Message message) { sends.push_back({to, std::move(message)}); }
  void info(std::string text) { notices.push_back({Notice::Weight::info, std::move(text)}); }
  void warn(std::string text) { notices.push_back({Notice::Weight::warning, std::move(text)}); }
  void alarm(std::string text) { notices.push_back({Notice::Weight::error, std::move(text)}); }
};

}  // namespace tillsync
