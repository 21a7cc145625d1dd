// The rosters that a cloud knows: in its database, which the processes of one cloud share.
#include "transport/base/clock.hpp"
#include "transport/base/settings.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync {

namespace {

constexpr milliseconds kKeepAgain{2000};

std::string rosters_meta(const std::string& tenant) { return tenant.empty() ? "roster/" : "roster/" + tenant + "/"; }

// The newer of two that processes bring at once stays.
Result<void> store_roster(CloudStore& store, const Roster& roster) {
  return store.write([&](CloudTxn& txn) -> Result<void> {
    const BranchKey shop{roster.keys.id(), roster.branch};
    txn.lock({shop});
    const std::string name = rosters_meta(shop.tenant) + shop.branch.text;
    const auto stored = txn.meta(name);
    auto known = stored ? Roster::decode(*stored) : std::nullopt;
    if (known && !known->take(roster)) return {};
    txn.put_meta(name, known ? known->encoded() : roster.encoded());
    txn.announce({shop.tenant, "rosters"});
    return {};
  });
}

Result<std::vector<Roster>> stored_rosters(CloudStore& store, const std::string& tenant) {
  std::vector<Roster> out;
  auto read = store.read([&](CloudTxn& txn) -> Result<void> {
    out.clear();
    txn.metas(rosters_meta(tenant), [&](const std::string&, ByteView value) {
      if (auto roster = Roster::decode(value)) out.push_back(std::move(*roster));
    });
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return out;
}

}  // namespace

// Files in rosters/ are taken in at each start: older folders have them, and who sets a cloud up may put them there.
Result<void> CloudRuntime::load_rosters() {
  auto names = posix_disk()->list(folder_.file("rosters"));
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    if (!name.ends_with(".roster")) continue;
    auto roster = load_roster(folder_.file("rosters/" + name));
    if (!roster) return tl::unexpected(roster.error());
    if (!*roster) continue;
    if (auto kept = store_roster(*store_, **roster); !kept) return kept;
  }
  auto stored = stored_rosters(*store_, {});
  if (!stored) return tl::unexpected(stored.error());
  for (const Roster& roster : *stored) (void)core_.on_roster(roster);
  return {};
}

void CloudRuntime::take_stored_rosters(const std::string& tenant) {
  auto found = std::make_shared<std::vector<Roster>>();
  on_database(
      [found, tenant](CloudStore& store) -> Result<void> {
        auto rosters = stored_rosters(store, tenant);
        if (!rosters) return tl::unexpected(rosters.error());
        *found = std::move(*rosters);
        return {};
      },
      [this, found](Result<void>) {
        for (const Roster& roster : *found) {
          CloudActions taken = core_.on_roster(roster);
          taken.new_roster.reset();  // kept already
          carry_out(std::move(taken));
        }
      });
}

void CloudRuntime::take_roster(const Roster& roster, std::function<void(Result<void>)> done) {
  if (auto named = check_names_me(roster); !named) return done(named);
  CloudActions taken = core_.on_roster(roster);
  taken.new_roster.reset();  // kept here
  carry_out(std::move(taken));
  keep_roster(core_.rosters().at(BranchKey{roster.keys.id(), roster.branch}), std::move(done));
}

Result<void> CloudRuntime::check_names_me(const Roster& roster) const {
  const Member* me = roster.cloud();
  if (me == nullptr || PublicKey::from_bytes(me->key) != key_.public_key())
    return fail(ErrorKind::refused, "the roster of branch " + roster.branch.text +
                                        " does not name this cloud's key: add it with "
                                        "'tillsync roster add --role cloud --key " +
                                        key_.public_key().hex() + "'");
  return {};
}

// Each tenant names the cloud in its own rosters, and by no other's.
TillId CloudRuntime::name_in(const Roster& roster) const {
  const Member* me = roster.find_key(key_.public_key().view());
  return me == nullptr ? name_ : me->name;
}

// Until it is stored or the database refuses it for good, unless somebody waits for the outcome.
void CloudRuntime::keep_roster(const Roster& roster, std::function<void(Result<void>)> done) {
  on_database([roster](CloudStore& store) { return store_roster(store, roster); },
              [this, roster, done = std::move(done)](Result<void> kept) {
                if (done) return done(std::move(kept));
                if (kept || stopping_) return;
                const bool lasting = is_lasting(kept.error().kind);
                log_({Notice::Weight::error, (lasting ? "a roster is not stored: " : "a roster is not stored yet: ") +
                                                 kept.error().for_log()});
                if (lasting) return;
                auto timer = std::make_shared<asio::steady_timer>(io_, kKeepAgain);
                timer->async_wait([this, timer, roster](asio::error_code error) {
                  if (!error && !stopping_) keep_roster(roster, {});
                });
              });
}

}  // namespace tillsync
