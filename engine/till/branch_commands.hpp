// What only the holder of an exclusive lease may do: change a setting of the branch. The cloud does it under the
// lease's certificate, and looks at its term once more.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "engine/till/leadership.hpp"

namespace tillsync {

class BranchCommands {
 public:
  static constexpr Duration kPatience = seconds(10);

  BranchCommands(const Leadership& leadership, const PeerTable& peers, Random& random)
      : leadership_(leadership), peers_(peers), random_(random) {}

  void on_command(const Moment& at, ReplyTo to, const std::string& name, Bytes value, Actions& out);
  void on_commanded(const Peer& from, const Commanded& answer, Actions& out);
  void on_wake(Instant now, Actions& out);
  Instant next_wake(Instant latest) const;

 private:
  std::optional<std::string> obstacle(const Moment& at) const;

  const Leadership& leadership_;
  const PeerTable& peers_;
  Random& random_;
  std::map<std::uint64_t, std::pair<ReplyTo, Instant>> waiting_;  // for the cloud's answer, until then
};

}  // namespace tillsync
