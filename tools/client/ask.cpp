#include "tools/client/ask.hpp"

#include "transport/api/remote.hpp"
#include "transport/base/settings.hpp"

namespace tillsync::cli {

void add_whom(CLI::App* command, const std::shared_ptr<Whom>& whom) {
  auto* data = command->add_option("--data", whom->data, "A till's data folder on this machine");
  auto* at = command->add_option("--at", whom->at, "Or a till elsewhere: NAME@HOST:PORT");
  at->excludes(data);
  at->needs(command->add_option("--key", whom->key, "With --at: a manager's key file ('tillsync roster key')"));
  at->needs(command->add_option("--roster", whom->roster, "With --at: the branch's roster file"));
}

Json ask(const Whom& whom, const std::string& what) {
  if (!whom.data.empty()) {
    Folder folder(whom.data);
    if (folder.is_cloud()) throw Failure{"a cloud holds no lease: name a till's data folder"};
    return folder.ask({{"do", what}});
  }
  if (whom.at.empty()) throw Failure{"which till? Name its data folder with --data, or --at NAME@HOST:PORT with --key"};
  const auto [till, address] = require(parse_peer(whom.at));
  return require(ask_till(till, address, read_secret(whom.key), read_roster(whom.roster), what));
}

SecretKey read_secret(const std::string& path) {
  std::string text = require(read_file(path));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return require(SecretKey::from_hex(text));
}

}  // namespace tillsync::cli
