#include "tools/client/conflict_source.hpp"

#include <cstdlib>

#include "tools/client/whom.hpp"

namespace tillsync::client {

namespace {

class FolderSource final : public ConflictSource {
 public:
  explicit FolderSource(ConflictPlace place)
      : place_(std::move(place)), folder_(std::make_unique<Folder>(place_.data)), cloud_(folder_->is_cloud()) {
    if (cloud_) {
      name_ = place_.branch.empty() ? "the cloud" : "the cloud, branch " + place_.branch;
    } else {
      const auto status = require(folder_->ask(api::StatusRequest{}));
      name_ = status.till + " of " + status.branch;
    }
  }
  std::string name() const override { return name_; }
  Result<std::vector<api::ConflictView>> conflicts() override { return ask(api::ConflictsRequest{{place_.branch}}); }

 private:
  Result<void> say(const Conflict& about, const OpDraft& word) override {
    if (!cloud_) {
      const auto said = ask(api::RecordRequest{{about.branch}, word});
      return said ? Result<void>() : tl::unexpected(said.error());
    }
    const auto said = ask(api::ResolveRequest{{{about.branch}, word}});
    return said ? Result<void>() : tl::unexpected(said.error());
  }

  // A till that was restarted meanwhile is found again; its folder is never opened in its place.
  template <class R>
  Result<api::AnswerTo<R>> ask(const R& request) {
    if (!folder_) {
      if (!ControlClient::connect(place_.data)) return fail(ErrorKind::closed, name_ + " does not run at the moment");
      folder_ = std::make_unique<Folder>(place_.data);
    }
    auto answer = folder_->ask(request);
    if (!answer && folder_->running() && !ControlClient::connect(place_.data)) folder_.reset();
    return answer;
  }

  ConflictPlace place_;
  std::unique_ptr<Folder> folder_;
  bool cloud_;
  std::string name_;
};

class RemoteSource final : public ConflictSource {
 public:
  explicit RemoteSource(const ConflictPlace& place) : whom_(place.at, place.key, place.roster) {
    rosters_.insert_or_assign(whom_.roster.branch.text, whom_.roster);
  }
  std::chrono::seconds every() const override { return std::chrono::seconds(5); }
  std::string name() const override { return whom_.name.text + " at " + whom_.address.text(); }
  Result<std::vector<api::ConflictView>> conflicts() override {
    auto all = ask_conflicts(whom_.remote());
    if (!all) return tl::unexpected(std::move(all.error()));
    for (const auto& [branch, encoded] : all->rosters) {
      if (auto roster = Roster::decode(encoded.bytes)) rosters_.insert_or_assign(branch, std::move(*roster));
    }
    return std::move(all->conflicts);
  }

 private:
  Result<void> say(const Conflict& about, const OpDraft& word) override {
    const Member* whom = whom_.roster.find(whom_.name);
    if (whom != nullptr && whom->role != Role::cloud)
      return fail(ErrorKind::refused,
                  "a till is settled at with --data, on its own machine; from elsewhere name the cloud with --at");
    const auto roster = rosters_.find(about.branch);
    if (roster == rosters_.end())
      return fail(ErrorKind::refused, "this key is not in the roster of branch " + about.branch);
    return push_resolution({whom_.name, whom_.address, whom_.key, roster->second}, word);
  }

  Elsewhere whom_;
  std::map<std::string, Roster> rosters_;  // of the branches whose conflicts are in view
};

// What the files and folders of a place throw, as the screen wants it.
template <class F>
auto failures_as_errors(F&& run) -> decltype(run()) {
  try {
    return run();
  } catch (const Failure& failure) {
    return fail(ErrorKind::io, failure.sentence);
  }
}

}  // namespace

Result<std::vector<tui::Item>> ConflictSource::fetch() {
  return failures_as_errors([&]() -> Result<std::vector<tui::Item>> {
    const auto all = conflicts();
    if (!all) return tl::unexpected(all.error());
    std::vector<tui::Item> items;
    for (const api::ConflictView& each : *all) {
      if (auto shown = api::conflict_of(each))
        items.push_back({shown->conflict, choices_for(shown->conflict, shown->stock_now())});
    }
    return items;
  });
}

Result<void> ConflictSource::settle(const Conflict& conflict, const Word& word) {
  return failures_as_errors([&]() -> Result<void> {
    const auto all = conflicts();
    if (!all) return tl::unexpected(all.error());
    const auto now = find_conflict(*all, conflict.id);
    return now ? settle(*now, word) : tl::unexpected(now.error());
  });
}

Result<void> ConflictSource::settle(const api::ConflictView& view, const Word& word) {
  const auto shown = api::conflict_of(view);
  if (!shown) return fail(ErrorKind::invalid, "this conflict can't be read: is it of a newer release?");
  const auto op = resolution(shown->conflict, shown->stock_now(), word);
  return op ? say(shown->conflict, *op) : tl::unexpected(op.error());
}

std::unique_ptr<ConflictSource> open_source(const ConflictPlace& place) {
  if (!place.at.empty()) return std::make_unique<RemoteSource>(place);
  if (place.data.empty())
    throw Failure{"whose conflicts? Name a data folder with --data, or a cloud with --at NAME@HOST:PORT and --key"};
  return std::make_unique<FolderSource>(place);
}

Result<api::ConflictView> find_conflict(const std::vector<api::ConflictView>& all, const std::string& id) {
  const api::ConflictView* found = nullptr;
  for (const api::ConflictView& c : all) {
    if (c.id == id) return c;
    if (id.size() < 4 || c.id.find(id) == std::string::npos) continue;
    if (found != nullptr)
      return fail(ErrorKind::not_found, "several conflicts have '" + id + "' in their id: give more of it");
    found = &c;
  }
  if (found == nullptr)
    return fail(ErrorKind::not_found, "there is no conflict '" + id + "': 'tillsync conflicts list' shows them");
  return *found;
}

std::string login_name() {
  const char* name = std::getenv("USER");
  return name == nullptr || std::string(name) == "root" ? "" : name;
}

}  // namespace tillsync::client
