#include "engine/till/branch_commands.hpp"

#include <algorithm>

namespace tillsync {

void BranchCommands::on_command(const Moment& at, ReplyTo to, const std::string& name, Bytes value, Actions& out) {
  if (const auto why = obstacle(at)) return out.done_replies.push_back({to, fail(ErrorKind::refused, *why)});
  const std::uint64_t nonce = random_.next();
  waiting_[nonce] = {to, at.mono() + kPatience};
  out.send(peers_.cloud()->id, Command{nonce, name, Binary(std::move(value)), *leadership_.certificate()});
}

std::optional<std::string> BranchCommands::obstacle(const Moment& at) const {
  if (!leadership_.takes_part()) return "this till is not paired: it has no branch to change";
  if (!at.hosts)
    return "only the host can do that, and that is " + (at.lease.host.text.empty() ? "nobody" : at.lease.host.text) +
           ": ask there";
  if (at.lease.kind != LeaseKind::exclusive)
    return "this till hosts provisionally: that waits until tills with most of the votes are back";
  if (peers_.cloud() == nullptr)
    return "the cloud can't be reached, and the change is made there: try again when it is";
  return std::nullopt;
}

void BranchCommands::on_commanded(const Peer& from, const Commanded& answer, Actions& out) {
  const auto it = waiting_.find(answer.nonce);
  if (it == waiting_.end() || !from.is_cloud()) return;
  out.done_replies.push_back(
      {it->second.first, answer.refusal.empty() ? Result<void>() : fail(ErrorKind::refused, answer.refusal)});
  waiting_.erase(it);
}

void BranchCommands::on_wake(Instant now, Actions& out) {
  std::erase_if(waiting_, [&](const auto& command) {
    const auto& [to, deadline] = command.second;
    if (now < deadline) return false;
    out.done_replies.push_back(
        {to, fail(ErrorKind::timed_out, "the cloud has not answered: look whether it was done, and try again")});
    return true;
  });
}

Instant BranchCommands::next_wake(Instant latest) const {
  for (const auto& [nonce, command] : waiting_) latest = std::min(latest, command.second);
  return latest;
}

}  // namespace tillsync
