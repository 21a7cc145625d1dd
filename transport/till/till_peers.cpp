// A runtime's dealings with its peers: who may connect, whom to dial, and the housekeeping that goes on beside.
#include <algorithm>
#include <sstream>

#include "transport/api/json.hpp"
#include "transport/base/caught.hpp"
#include "transport/base/clock.hpp"
#include "transport/till/fitness.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

namespace {
constexpr char kRemembered[] = "peers.txt";  // the last good addresses, for networks without multicast
constexpr Duration kHouse = std::chrono::minutes(10), kFitness = seconds(30);
}  // namespace

Hello TillRuntime::hello_to(const TillId*) {
  const Held held(core_);
  Hello hello;
  hello.name = settings_.till;
  hello.branch = settings_.branch;
  hello.run = run_;
  hello.port = port_;
  if (const auto& roster = node_->roster()) hello.roster = Binary(roster->encoded());
  return hello;
}

Result<PeerInfo> TillRuntime::admit(const noise::Key& key, const Hello& hello) {
  const Held held(core_);
  if (!node_->roster())
    return fail(ErrorKind::refused, settings_.till.text + " is not paired yet: run 'tillsync pair join' on it");
  const Member* cloud = node_->roster()->cloud();
  const bool is_cloud = cloud != nullptr && cloud->name == hello.name;
  if (!is_cloud && hello.branch != settings_.branch) {
    return fail(ErrorKind::refused, "this is branch " + settings_.branch.text + ", not " + hello.branch.text +
                                        ": check the peer's address");
  }
  // A newly paired till brings the roster that names it.
  if (const auto brought = Roster::decode(hello.roster)) take_roster(*brought);
  const Member* member = node_->roster()->find_x25519(noise::view(key));
  if (member == nullptr || member->name != hello.name) {
    return fail(ErrorKind::refused, hello.name.text + " is not in the roster of branch " + settings_.branch.text +
                                        ": pair it with 'tillsync pair', or show it the newer roster");
  }
  return PeerInfo{member->name, member->role, hello, {}, {}, {}};
}

void TillRuntime::on_up(PeerId id, const PeerInfo& peer) {
  const Held held(core_);
  if (is_person(peer.role)) {
    managers_.insert(id);
    return;
  }
  remember(peer);
  carry_out(node_->on_peer_up(read_clock(), id, peer.name, peer.role));
}

void TillRuntime::on_message(PeerId id, Message message) {
  const Held held(core_);
  if (!managers_.contains(id)) return carry_out(node_->on_message(read_clock(), id, std::move(message)));
  const auto* question = std::get_if<Question>(&message);
  question != nullptr ? answer_manager(id, *question) : links_->hang_up(id);
}

void TillRuntime::on_unreadable(PeerId id) {
  const Held held(core_);
  carry_out(node_->on_unreadable(read_clock(), id));
}

void TillRuntime::answer_manager(PeerId id, const Question& question) {
  const auto answer = caught([&]() -> Result<Json> {
    if (question.what == "lease") return lease_json(*node_, read_clock());
    if (question.what == "roster_held") return spread_json(*node_, read_clock());
    if (question.what != "conflicts")
      return fail(
          ErrorKind::refused,
          "a till tells a manager's or a supporter's key of lease, roster_held and conflicts, and nothing else");
    const StockNow stock = [this](const std::string& sku) { return node_->stock(sku); };
    Json all = Json::array();
    for (const Conflict& c : node_->conflicts()) all.push_back(to_json(c, stock));
    return conflicts_page(std::move(all), question.argument);
  });
  links_->send(id, Answer{question.nonce, answer_text(answer)});
}

void TillRuntime::on_down(PeerId id) {
  const Held held(core_);
  if (managers_.erase(id) == 0) carry_out(node_->on_peer_down(read_clock(), id));
  if (!stopping_) dialer_->poke();
}

void TillRuntime::remember(const PeerInfo& peer) {
  if (peer.role != Role::till || peer.hello.port == 0 || peer.host.empty()) return;
  const Address address{peer.host, static_cast<std::uint16_t>(peer.hello.port)};
  dialer_->suggest(peer.name, address);
  remembered_[peer.name] = address;
  std::ostringstream text;
  for (const auto& [name, at] : remembered_) text << name.text << '@' << at.text() << '\n';
  asio::post(database_lane_, [this, text = text.str()] {
    if (auto kept = replace_file(folder_.file(kRemembered), text); !kept)
      log_({Notice::Weight::warning, kept.error().for_log()});
  });
}

std::optional<noise::Key> TillRuntime::key_of(const TillId& name) const {
  const Held held(core_);
  const Member* member = node_->roster() ? node_->roster()->find(name) : nullptr;
  const auto key = member == nullptr ? std::nullopt : PublicKey::from_bytes(member->key)->x25519();
  return key ? std::optional<noise::Key>(*key) : std::nullopt;
}

bool TillRuntime::wanted(const TillId& name) const {
  const Held held(core_);
  const Member* member = node_->roster() ? node_->roster()->find(name) : nullptr;
  if (member == nullptr || stopping_ || is_person(member->role)) return false;
  return member->role == Role::till || (member->role == Role::cloud && node_->wants_cloud(read_clock()));
}

// Offers the dialer every address that is known, again after each change of the roster.
void TillRuntime::connect_peers() {
  if (port_ == 0 || !node_->roster()) return;
  if (remembered_.empty()) {
    std::istringstream lines(read_file(folder_.file(kRemembered)).value_or(std::string()));
    for (std::string line; std::getline(lines, line);) {
      if (auto peer = parse_peer(line)) remembered_.insert(std::move(*peer));
    }
  }
  for (const auto& [name, address] : remembered_) dialer_->suggest(name, address);
  for (const auto& [name, address] : settings_.peers) dialer_->suggest(name, address);
  const Member* cloud = node_->roster()->cloud();
  if (cloud != nullptr && settings_.cloud) dialer_->suggest(cloud->name, *settings_.cloud);
}

void TillRuntime::look_after_fitness() {
  const Held held(core_);
  carry_out(node_->on_fitness(read_clock(), read_fitness(folder_.path()).value()));
  fitness_.expires_after(kFitness);
  fitness_.async_wait([this](asio::error_code error) {
    if (!error && !stopping_) look_after_fitness();
  });
}

// Lets old journal segments go, and reads the whole database once a day: LMDB itself would never notice a rotten page.
void TillRuntime::maintain() {
  asio::post(journal_lane_, [this] {
    const auto segments = [this] {
      const std::lock_guard lock(journal_mutex_);
      return files_->segments();
    }();
    if (!segments) return;
    post([this, segments = *segments] {
      const auto old = TillFiles::retirement(*node_, segments, read_clock());
      if (old.nothing()) return;
      asio::post(journal_lane_, [this, old] {
        const std::lock_guard lock(journal_mutex_);
        files_->retire(old);
      });
    });
  });
  const auto boot = read_clock().mono.since_boot;
  const bool daily = boot / std::chrono::hours(24) != (boot - kHouse) / std::chrono::hours(24);
  if (daily) {
    asio::post(database_lane_, [this] {
      if (auto sound = files_->store().verify(); !sound) log_({Notice::Weight::error, sound.error().for_log()});
    });
  }
  house_.expires_after(kHouse);
  house_.async_wait([this](asio::error_code error) {
    if (!error && !stopping_) maintain();
  });
}

}  // namespace tillsync
