#include "transport/till/peer_shell.hpp"

#include <sstream>

#include "transport/base/caught.hpp"
#include "transport/base/clock.hpp"

namespace tillsync {

namespace {
constexpr char kRemembered[] = "peers.txt";  // the last good addresses, for networks without multicast
constexpr Duration kListenAgain = seconds(30);
constexpr std::size_t kMaxRemembered = 256;  // of what multicast says, which anybody can
}  // namespace

PeerShell::PeerShell(CoreLoop& loop, TillDisks& disks, const DataFolder& folder, const Settings& settings,
                     const SecretKey& key, Answerer answer, Log log)
    : loop_(loop),
      disks_(disks),
      folder_(folder),
      settings_(settings),
      answer_(std::move(answer)),
      log_(std::move(log)),
      run_(random_seed()),
      links_(loop.io(), noise::KeyPair::of(key.x25519()), static_cast<LinkOwner&>(*this), log_),
      dialer_(loop.io(), links_, settings.till,
              Dialer::Rules{[this](const TillId& name) { return wanted(name); },
                            [this](const TillId& name) { return key_of(name); }},
              Random(random_seed())) {}

Result<void> PeerShell::join_network(bool only_there) {
  networked_ = true;
  const auto there = listen(settings_.listen);
  if (!there && (only_there || there.error().kind == ErrorKind::invalid)) return there;
  if (!there) listen_elsewhere(there.error().message);
  offer_addresses();
  return {};
}

Result<void> PeerShell::listen(const Address& address) {
  auto port = links_.listen(address);
  if (!port) return tl::unexpected(port.error());
  port_ = *port;
  if (settings_.mdns) be_discovered();
  return {};
}

// Who is asked by multicast, or hears of it in a greeting, finds the other port; a configured peer does not.
void PeerShell::listen_elsewhere(const std::string& why) {
  if (listen({settings_.listen.host, 0})) {
    return log_({Notice::Weight::warning, "this till sells, and listens on port " + std::to_string(port_) +
                                              " instead of " + std::to_string(settings_.listen.port) + ": " + why});
  }
  log_({Notice::Weight::warning, "this till sells, and no other can reach it: " + why});
  listen_again_.expires_after(kListenAgain);
  listen_again_.async_wait([this](asio::error_code error) {
    const CoreLoop::Held held(loop_.lock());
    if (error || loop_.stopping()) return;
    if (const auto there = listen(settings_.listen); !there) listen_elsewhere(there.error().message);
  });
}

void PeerShell::be_discovered() {
  auto seen = [this](Sighting s) {
    loop_.post([this, s = std::move(s)] {
      if (s.branch != settings_.branch || s.till == settings_.till) return;
      if (loop_.stopping() || remembered_.size() > kMaxRemembered) return;
      remembered_[s.till] = s.address;
      dialer_.suggest(s.till, s.address);
    });
  };
  auto found = Discovery::start({settings_.branch, settings_.till, port_, settings_.interface, run_}, seen, log_);
  found ? void(discovery_ = std::move(*found)) : log_({Notice::Weight::warning, found.error().for_log()});
}

Hello PeerShell::hello_to(const TillId*) {
  const CoreLoop::Held held(loop_.lock());
  Hello hello;
  hello.name = settings_.till;
  hello.branch = settings_.branch;
  hello.run = run_;
  hello.port = port_;
  if (const auto& roster = loop_.core().roster()) hello.roster = Binary(roster->encoded());
  return hello;
}

Result<PeerInfo> PeerShell::admit(const noise::Key& key, const Hello& hello) {
  const CoreLoop::Held held(loop_.lock());
  TillCore& core = loop_.core();
  if (!core.roster())
    return fail(ErrorKind::refused, settings_.till.text + " is not paired yet: run 'tillsync pair join' on it");
  const Member* cloud = core.roster()->cloud();
  const bool is_cloud = cloud != nullptr && cloud->name == hello.name;
  if (!is_cloud && hello.branch != settings_.branch) {
    return fail(ErrorKind::refused, "this is branch " + settings_.branch.text + ", not " + hello.branch.text +
                                        ": check the peer's address");
  }
  // A newly paired till brings the roster that names it.
  if (const auto brought = Roster::decode(hello.roster)) loop_.carry_out(core.on_roster(read_clock(), *brought));
  const Member* member = core.roster()->find_x25519(noise::view(key));
  if (member == nullptr || member->name != hello.name) {
    return fail(ErrorKind::refused, hello.name.text + " is not in the roster of branch " + settings_.branch.text +
                                        ": pair it with 'tillsync pair', or show it the newer roster");
  }
  return PeerInfo{member->name, member->role, hello, {}, {}, {}};
}

void PeerShell::on_up(PeerId id, const PeerInfo& peer) {
  const CoreLoop::Held held(loop_.lock());
  if (is_person(peer.role)) {
    people_.emplace(id, peer.role);
    return;
  }
  remember(peer);
  loop_.carry_out(loop_.core().on_peer_up(read_clock(), id, peer.name, peer.role));
}

void PeerShell::on_message(PeerId id, Message message) {
  const CoreLoop::Held held(loop_.lock());
  if (!people_.contains(id)) return loop_.carry_out(loop_.core().on_message(read_clock(), id, std::move(message)));
  const auto* question = std::get_if<Question>(&message);
  if (question == nullptr) return links_.hang_up(id);
  links_.send(id, Answer{question->nonce, answer_(people_.at(id), *question)});
}

void PeerShell::on_unreadable(PeerId id) {
  const CoreLoop::Held held(loop_.lock());
  loop_.carry_out(loop_.core().on_unreadable(read_clock(), id));
}

void PeerShell::on_down(PeerId id) {
  const CoreLoop::Held held(loop_.lock());
  if (people_.erase(id) == 0) loop_.carry_out(loop_.core().on_peer_down(read_clock(), id));
  if (!loop_.stopping()) dialer_.poke();
}

void PeerShell::remember(const PeerInfo& peer) {
  if (peer.role != Role::till || peer.hello.port == 0 || peer.host.empty()) return;
  const Address address{peer.host, static_cast<std::uint16_t>(peer.hello.port)};
  dialer_.suggest(peer.name, address);
  remembered_[peer.name] = address;
  std::ostringstream text;
  for (const auto& [name, at] : remembered_) text << name.text << '@' << at.text() << '\n';
  asio::post(disks_.database_lane(), [this, text = text.str()] {
    if (auto kept = replace_file(folder_.file(kRemembered), text); !kept)
      log_({Notice::Weight::warning, kept.error().for_log()});
  });
}

void PeerShell::act(Actions& actions) {
  for (const Actions::Send& send : actions.sends) links_.send(send.to, send.message);
  for (const PeerId peer : actions.hang_up) links_.hang_up(peer);
  if (actions.roster_changed) keep_roster();
}

// A copy beside the database: a till that has to be recovered still knows its branch.
void PeerShell::keep_roster() {
  asio::post(disks_.database_lane(), [this, bytes = loop_.core().roster()->encoded()] {
    if (auto kept = replace_file(folder_.file("roster.bin"), bytes); !kept)
      log_({Notice::Weight::error, kept.error().for_log()});
  });
  if (networked_) offer_addresses();
}

// Offers the dialer every address that is known, again after each change of the roster.
void PeerShell::offer_addresses() {
  const auto& roster = loop_.core().roster();
  if (!roster) return;
  if (remembered_.empty()) {
    std::istringstream lines(read_file(folder_.file(kRemembered)).value_or(std::string()));
    for (std::string line; std::getline(lines, line);) {
      if (auto peer = parse_peer(line)) remembered_.insert(std::move(*peer));
    }
  }
  for (const auto& [name, address] : remembered_) dialer_.suggest(name, address);
  for (const auto& [name, address] : settings_.peers) dialer_.suggest(name, address);
  const Member* cloud = roster->cloud();
  if (cloud != nullptr && settings_.cloud) dialer_.suggest(cloud->name, *settings_.cloud);
}

void PeerShell::on_settled(Now now) {
  const LeaseView lease = loop_.core().lease(now);
  if (discovery_ && (lease.term != announced_.term || lease.host != announced_.host)) {
    discovery_->announce(lease.term.value, lease.host == settings_.till);
  }
  if (lease.kind != announced_.kind || lease.host != announced_.host) dialer_.poke();
  announced_ = lease;
}

void PeerShell::on_woken(Now now) {
  if (loop_.core().wants_cloud(now)) dialer_.poke();
}

void PeerShell::on_closing() {
  listen_again_.cancel();
  links_.close();
  dialer_.close();
}

std::optional<noise::Key> PeerShell::key_of(const TillId& name) {
  const CoreLoop::Held held(loop_.lock());
  const auto& roster = loop_.core().roster();
  const Member* member = roster ? roster->find(name) : nullptr;
  const auto key = member == nullptr ? std::nullopt : PublicKey::from_bytes(member->key)->x25519();
  return key ? std::optional<noise::Key>(*key) : std::nullopt;
}

bool PeerShell::wanted(const TillId& name) {
  const CoreLoop::Held held(loop_.lock());
  const auto& roster = loop_.core().roster();
  const Member* member = roster ? roster->find(name) : nullptr;
  if (member == nullptr || loop_.stopping() || is_person(member->role)) return false;
  return member->role == Role::till || (member->role == Role::cloud && loop_.core().wants_cloud(read_clock()));
}

}  // namespace tillsync
