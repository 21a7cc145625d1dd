// Whom somebody asks about a branch: the till of a data folder on this machine, or one elsewhere, with a manager's key.
#pragma once

#include "tools/client/folder.hpp"
#include "transport/api/remote.hpp"

namespace tillsync::client {

struct Whom {
  std::string data, at, key, roster;  // `at`: NAME@HOST:PORT
  bool named() const { return !data.empty() || !at.empty(); }
};

// Somebody elsewhere, and the key and the roster to ask with, read from their files.
struct Elsewhere {
  Elsewhere(const std::string& at, const std::string& key, const std::string& roster);
  Remote remote() const { return {name, address, key, roster}; }
  TillId name;
  Address address;
  SecretKey key;
  Roster roster;
};

Folder till_folder(const Whom& whom);  // Failure when it is a cloud's, or nobody is named

// What a person's key may ask of a till: api::LeaseRequest, api::RosterHeldRequest. Failure when there is no answer.
template <class R>
api::AnswerTo<R> ask(const Whom& whom, const R& request) {
  if (!whom.at.empty()) return require(ask_remotely(Elsewhere(whom.at, whom.key, whom.roster).remote(), request));
  return require(till_folder(whom).ask(request));
}

}  // namespace tillsync::client
