#include "tools/client/whom.hpp"

#include "transport/base/settings.hpp"

namespace tillsync::client {

Elsewhere::Elsewhere(const std::string& at, const std::string& key_file, const std::string& roster_file)
    : key(read_secret(key_file)), roster(read_roster(roster_file)) {
  std::tie(name, address) = require(parse_peer(at));
}

Folder till_folder(const Whom& whom) {
  if (whom.data.empty())
    throw Failure{"which till? Name its data folder with --data, or --at NAME@HOST:PORT with --key"};
  if (is_cloud_folder(whom.data)) throw Failure{"a cloud holds no lease: name a till's data folder"};
  return Folder(whom.data);
}

}  // namespace tillsync::client
