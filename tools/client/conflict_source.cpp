#include "tools/client/conflict_source.hpp"

#include <cstdlib>

#include "tools/client/ask.hpp"
#include "transport/api/json.hpp"
#include "transport/api/remote.hpp"
#include "transport/base/settings.hpp"

namespace tillsync::cli {

namespace {

class FolderSource final : public ConflictSource {
 public:
  explicit FolderSource(ConflictPlace place)
      : place_(std::move(place)), folder_(std::make_unique<Folder>(place_.data)) {
    const Json status = folder_->ask({{"do", "status"}});
    name_ = folder_->is_cloud() ? "the cloud" : status.value("till", "") + " of " + status.value("branch", "");
    if (folder_->is_cloud() && !place_.branch.empty()) name_ += ", branch " + place_.branch;
  }
  std::string name() const override { return name_; }
  Json conflicts() override { return ask({{"do", "conflicts"}, {"branch", place_.branch}}); }
  void say(const Conflict& about, const OpDraft& word) override {
    const bool cloud = folder_ && folder_->is_cloud();
    ask({{"do", cloud ? "resolve" : "record"}, {"branch", about.branch}, {"op", to_json(word)}});
  }

 private:
  // A till that was restarted meanwhile is found again; its folder is never opened in its place.
  Json ask(const Json& question) {
    if (!folder_) {
      if (!ControlClient::connect(place_.data)) throw Failure{name_ + " does not run at the moment"};
      folder_ = std::make_unique<Folder>(place_.data);
    }
    try {
      return folder_->ask(question);
    } catch (const Failure&) {
      if (folder_->running() && !ControlClient::connect(place_.data)) folder_.reset();
      throw;
    }
  }

  ConflictPlace place_;
  std::unique_ptr<Folder> folder_;
  std::string name_;
};

class RemoteSource final : public ConflictSource {
 public:
  explicit RemoteSource(const ConflictPlace& place) : key_(read_secret(place.key)), roster_(read_roster(place.roster)) {
    std::tie(whom_, at_) = require(parse_peer(place.at));
    rosters_.insert_or_assign(roster_.branch.text, roster_);
  }
  std::chrono::seconds every() const override { return std::chrono::seconds(5); }
  std::string name() const override { return whom_.text + " at " + at_.text(); }
  Json conflicts() override {
    Json all = require(ask_conflicts(whom_, at_, key_, roster_));
    for (const auto& [branch, bytes] : all["rosters"].items()) {
      if (auto roster = Roster::decode(bytes_from(bytes))) rosters_.insert_or_assign(branch, std::move(*roster));
    }
    return all["conflicts"];
  }
  void say(const Conflict& about, const OpDraft& word) override {
    const Member* whom = roster_.find(whom_);
    if (whom != nullptr && whom->role != Role::cloud)
      throw Failure{"a till is settled at with --data, on its own machine; from elsewhere name the cloud with --at"};
    const auto roster = rosters_.find(about.branch);
    if (roster == rosters_.end()) throw Failure{"this key is not in the roster of branch " + about.branch};
    require(push_resolution(whom_, at_, key_, roster->second, word));
  }

 private:
  TillId whom_;
  Address at_;
  SecretKey key_;
  Roster roster_;
  std::map<std::string, Roster> rosters_;  // of the branches whose conflicts are in view
};

}  // namespace

Result<std::vector<tui::Item>> ConflictSource::fetch() {
  try {
    std::vector<tui::Item> items;
    for (const Json& each : conflicts()) {
      if (auto shown = conflict_from(each))
        items.push_back({shown->conflict, choices_for(shown->conflict, shown->stock_now())});
    }
    return items;
  } catch (const Failure& failure) {
    return fail(ErrorKind::io, failure.sentence);
  } catch (const std::exception& error) {
    return fail(ErrorKind::invalid, "what came back is not understood: is it another release?", error.what());
  }
}

Result<void> ConflictSource::settle(const Conflict& conflict, const Word& word) {
  try {  // as it is by now: somebody else may have been quicker
    settle_or_throw(find_conflict(conflicts(), conflict.id), word);
    return {};
  } catch (const Failure& failure) {
    return fail(ErrorKind::refused, failure.sentence);
  } catch (const std::exception& error) {
    return fail(ErrorKind::invalid, "what came back is not understood: is it another release?", error.what());
  }
}

void ConflictSource::settle_or_throw(const Json& json, const Word& word) {
  const auto shown = conflict_from(json);
  if (!shown) throw Failure{"this conflict can't be read: is it of a newer release?"};
  say(shown->conflict, require(resolution(shown->conflict, shown->stock_now(), word)));
}

void add_place(CLI::App* command, const std::shared_ptr<ConflictPlace>& place) {
  auto* data = command->add_option("--data", place->data, "The data folder of a till or a cloud on this machine");
  command->add_option("--branch", place->branch, "At a cloud that serves several: only this one");
  auto* at = command->add_option("--at", place->at, "Or a cloud elsewhere: NAME@HOST:PORT");
  at->excludes(data);
  at->needs(command->add_option("--key", place->key, "With --at: a supporter's key file ('tillsync roster key')"));
  at->needs(command->add_option("--roster", place->roster, "With --at: the roster file of one of the branches"));
}

std::unique_ptr<ConflictSource> open_source(const ConflictPlace& place) {
  if (!place.at.empty()) return std::make_unique<RemoteSource>(place);
  if (place.data.empty())
    throw Failure{"whose conflicts? Name a data folder with --data, or a cloud with --at NAME@HOST:PORT and --key"};
  return std::make_unique<FolderSource>(place);
}

Json find_conflict(const Json& all, const std::string& id) {
  const Json* found = nullptr;
  for (const Json& c : all) {
    const std::string full = c["id"];
    if (full == id) return c;
    if (id.size() < 4 || full.find(id) == std::string::npos) continue;
    if (found != nullptr) throw Failure{"several conflicts have '" + id + "' in their id: give more of it"};
    found = &c;
  }
  if (found == nullptr) throw Failure{"there is no conflict '" + id + "': 'tillsync conflicts list' shows them"};
  return *found;
}

std::string login_name() {
  const char* name = std::getenv("USER");
  return name == nullptr || std::string(name) == "root" ? "" : name;
}

}  // namespace tillsync::cli
