#include "tests/unit/lease_shop.hpp"

#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "engine/wire/messages.hpp"
#include "sim/world/describe.hpp"

namespace tillsync {

namespace {

constexpr Duration kFlight = milliseconds(5);

SecretKey key_of(std::uint8_t n) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = n, seed[1] = 99;
  return SecretKey::from_seed(seed);
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::string words_of(const LeaseMessage& message) {
  return std::visit([](const auto& m) { return sim::describe(encode(Message(m))); }, message);
}

Duration time_of(const std::string& number, const std::string& unit) {
  const auto ms = std::stoll(number) * (unit == "s" ? 1000 : unit == "ms" ? 1 : throw std::runtime_error(unit));
  return milliseconds(ms);
}

std::string in_seconds(Duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%8.3f ", static_cast<double>(to_ms(d)) / 1000);
  return text;
}

Ballot* ballot_in(LeaseMessage& message) {
  if (auto* m = std::get_if<PreVote>(&message)) return &m->ballot;
  if (auto* m = std::get_if<RequestGrant>(&message)) return &m->ballot;
  if (auto* m = std::get_if<Grant>(&message)) return &m->ballot;
  auto* m = std::get_if<Announce>(&message);
  return m != nullptr && m->certificate ? &m->certificate->ballot : nullptr;
}

// What a liar may change in a message that was once true.
void twist(LeaseMessage& message, const std::string& what) {
  Ballot* ballot = ballot_in(message);
  auto* announce = std::get_if<Announce>(&message);
  if (announce != nullptr && !announce->certificate) announce = nullptr;
  if (what == "its-term" && ballot != nullptr) ballot->term = ballot->term.next();
  if (what == "a-term-far-ahead" && ballot != nullptr) ballot->term.value += std::uint64_t{1} << 40;
  if (what == "a-term-far-ahead" && std::holds_alternative<PreVoteReply>(message))
    std::get<PreVoteReply>(message).term.value += std::uint64_t{1} << 40;
  if (what == "its-term" && announce != nullptr) announce->term = announce->term.next();
  if (what == "its-nonce" && ballot != nullptr) ++ballot->nonce;
  if (what == "its-branch" && ballot != nullptr) ballot->branch = BranchId{"station"};
  if (what == "its-duration" && ballot != nullptr) ballot->duration_ms = 60'000;
  if (what == "its-roster" && ballot != nullptr) ++ballot->roster_version;
  if (what == "a-grant-taken-out" && announce != nullptr) announce->certificate->grants.pop_back();
  if (what == "a-grant-twice" && announce != nullptr)
    announce->certificate->grants.back() = announce->certificate->grants.front();
  if (what == "a-signature-changed" && announce != nullptr) announce->certificate->grants.back().signature[7] ^= 1;
  if (what == "a-signature-changed" && std::holds_alternative<Grant>(message))
    std::get<Grant>(message).signature[7] ^= 1;
}

}  // namespace

std::string LeaseShop::carry_out(const std::string& command) {
  out_.clear();
  everything_ = true;
  const auto words = words_of(command);
  auto word = [&](std::size_t i) { return i < words.size() ? words[i] : throw std::runtime_error(command); };
  const std::string verb = word(0);
  if (verb == "shop") {
    open(words);
  } else if (verb == "connect" || verb == "cut") {
    connect(names(word(1)), words.size() > 3 ? names(word(3)) : names("all"), verb == "connect");
  } else if (verb == "deafen") {  // what others send to it is lost, and nobody knows
    for (const std::string& other : names("all")) cut_.insert({other, word(1)});
  } else if (verb == "run" || verb == "pass") {
    run(time_of(word(1), word(2)), verb == "run");
  } else if (verb == "crash") {
    for (const std::string& name : names(word(1))) till(name).election.reset(), ++till(name).life;
  } else if (verb == "start") {
    for (const std::string& name : names(word(1))) start(till(name));
  } else if (verb == "suspend") {
    till(word(1)).suspended = true;
  } else if (verb == "resume") {
    Till& t = till(word(1));
    t.suspended = false;
    for (auto& work : std::exchange(t.backlog, {})) work();
  } else if (verb == "hand-over") {
    act(till(word(1)), till(word(1)).election->on_step_down({now_}, TillId{word(3)}, "handed over to " + word(3)));
  } else if (verb == "replay") {
    attack(words);
  } else if (verb == "lie") {
    lie(till(word(1)), word(3));
  } else if (verb == "campaign") {
    everything_ = false;
    campaign(till(word(1)), std::stoi(word(2)));
  } else if (verb == "fitness") {  // as the tills tell each other
    for (auto& [name, t] : tills_) {
      if (t.election) t.election->on_fitness(TillId{word(1)}, static_cast<std::uint32_t>(std::stoul(word(2))));
    }
  } else if (verb == "disk") {
    till(word(1)).to_store = time_of(word(2), word(3));
  } else if (verb == "roster") {
    roster(words);
  } else if (verb == "view") {
    view();
  } else {
    throw std::runtime_error("no such command: " + command);
  }
  return out_;
}

void LeaseShop::open(const std::vector<std::string>& words) {  // shop N tills [lease N s] [votes TILL N]
  tenant_ = key_of(200);
  roster_.tenant = "Scripts";
  roster_.keys = TenantKeys::founded(tenant_->public_key(), tenant_->public_key());
  roster_.branch = BranchId{"market"};
  const int count = std::stoi(words.at(1));
  for (std::size_t i = 3; i + 2 < words.size(); i += 3) {
    if (words[i] == "lease") roster_.lease_ms = static_cast<std::uint32_t>(to_ms(time_of(words[i + 1], words[i + 2])));
  }
  for (int i = 1; i <= count; ++i) {
    Till t{TillId{"till-" + std::to_string(i)},
           key_of(static_cast<std::uint8_t>(i)),
           {},
           {},
           {},
           milliseconds(3),
           0,
           false,
           {}};
    roster_.add({t.name, Binary(t.key.public_key().view()), Role::till, 1});
    tills_.emplace(t.name.text, std::move(t));
  }
  roster_.sign(*tenant_);
  for (auto& [name, t] : tills_) {
    t.roster = roster_;
    for (auto& [other, unused] : tills_) cut_.insert({name, other});
  }
  for (auto& [name, t] : tills_) start(t);
}

void LeaseShop::start(Till& t) {
  t.suspended = false;
  const Random dice(static_cast<std::uint64_t>(t.name.text.back()) + 1000 * t.life++);
  t.election = std::make_unique<Election>(t.name, t.key, t.roster, t.disk, dice, Instant{now_});
  for (auto& [name, other] : tills_) {
    if (name == t.name.text || !other.election || cut_.contains({name, t.name.text})) continue;
    act(t, t.election->on_connected({now_}, other.name));
    act(other, other.election->on_connected({now_}, t.name));
  }
}

void LeaseShop::connect(const std::set<std::string>& some, const std::set<std::string>& others, bool up) {
  for (const std::string& a : some) {
    for (const std::string& b : others) {
      const bool was = !cut_.contains({a, b}) && !cut_.contains({b, a});
      if (a == b || was == up) continue;
      for (const auto& pair : {std::pair(a, b), std::pair(b, a)}) up ? void(cut_.erase(pair)) : void(cut_.insert(pair));
      for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
        Till& t = till(from);
        if (!t.election) continue;
        act(t, up ? t.election->on_connected({now_}, TillId{to}) : t.election->on_disconnected({now_}, TillId{to}));
      }
    }
  }
}

void LeaseShop::act(Till& t, LeaseActions actions) {
  if (actions.host_changed) say(t.name.text + ": " + actions.reason);
  if (actions.evidence)
    say(t.name.text + ": " + actions.evidence->grantor.text + " granted both to " +
        actions.evidence->first.candidate.text + " and to " + actions.evidence->second.candidate.text + " in term " +
        std::to_string(actions.evidence->first.term.value));
  if (actions.promise) {
    say(t.name.text + " stores a promise: term " + std::to_string(actions.promise->term.value) + " to " +
            actions.promise->holder.text,
        true);
    later(t.to_store, t, [this, &t, promise = *actions.promise] {
      t.disk = promise;
      act(t, t.election->on_promise_durable({now_}));
    });
  }
  send(t, actions.sends);
}

void LeaseShop::send(Till& t, const std::vector<LeaseActions::Send>& sends) {
  std::string before, to;
  auto tell = [&] {
    if (!before.empty()) say(t.name.text + " > " + to + "  " + before, true);
  };
  for (const auto& each : sends) {
    const std::string text = words_of(each.message);
    heard_.push_back({t.name.text, each.to.text, each.message});
    if (text != before) tell(), before = text, to.clear();
    to += (to.empty() ? "" : ",") + each.to.text;
    if (cut_.contains({t.name.text, each.to.text}) || !tills_.contains(each.to.text)) continue;
    later(kFlight, till(each.to.text), [this, sent = heard_.back()] { deliver(sent.from, sent.to, sent.message); });
  }
  tell();
}

void LeaseShop::deliver(const std::string& from, const std::string& to, const LeaseMessage& message) {
  Till& t = till(to);
  LeaseActions actions = t.election->on_message({now_}, TillId{from}, message);
  if (!actions.ignored.empty()) say(to + " ignores " + words_of(message) + ": " + actions.ignored, true);
  act(t, std::move(actions));
}

void LeaseShop::later(Duration delay, Till& t, std::function<void()> what) {
  events_.emplace(now_ + delay, [&t, life = t.life, what = std::move(what)] {
    if (life != t.life || !t.election) return;
    t.suspended ? t.backlog.push_back(what) : what();
  });
}

void LeaseShop::run(Duration time, bool everything) {
  everything_ = everything;
  const Duration end = now_ + time;
  for (int steps = 0;; ++steps) {
    if (steps > 100'000) throw std::runtime_error("somebody wakes up again and again at " + in_seconds(now_));
    Duration next = events_.empty() ? end + seconds(1) : events_.begin()->first;
    Till* wakes = nullptr;
    for (auto& [name, t] : tills_) {
      if (!t.election || t.suspended) continue;
      const Duration at = std::max(now_, t.election->next_wake().since_boot);
      if (at < next) next = at, wakes = &t;
    }
    if (next > end) break;
    now_ = next;
    if (wakes != nullptr) {
      act(*wakes, wakes->election->on_wake({now_}));
    } else {
      auto first = events_.extract(events_.begin());
      first.mapped()();
    }
  }
  now_ = end;
}

// replay TYPE of TILL [by TILL] to TILL [with WHAT]: the last such message of the one, as if it came now.
void LeaseShop::attack(const std::vector<std::string>& words) {
  std::string by = words.at(3), to, with;
  for (std::size_t i = 4; i + 1 < words.size(); i += 2) {
    (words[i] == "by" ? by : words[i] == "to" ? to : with) = words[i + 1];
  }
  for (auto it = heard_.rbegin(); it != heard_.rend(); ++it) {
    if (it->from != words.at(3) || !words_of(it->message).starts_with(words.at(1) + " ")) continue;
    LeaseMessage message = it->message;
    if (!with.empty()) twist(message, with);
    return deliver(by, to, message);
  }
  say("nothing of that kind was said");
}

// Its key signs what the other asked last, whatever was promised.
void LeaseShop::lie(Till& liar, const std::string& to) {
  for (auto it = heard_.rbegin(); it != heard_.rend(); ++it) {
    const auto* asked = std::get_if<RequestGrant>(&it->message);
    if (it->from != to || asked == nullptr) continue;
    const Ballot ballot = asked->ballot;
    return deliver(liar.name.text, to, Grant{ballot, liar.name, Binary(liar.key.sign(ballot.grant_bytes(liar.name)))});
  }
  throw std::runtime_error(to + " asked for nothing");
}

// A till that wants to be elected, again and again, in ever higher terms.
void LeaseShop::campaign(Till& t, int times) {
  for (int i = 0; i < times; ++i) {
    const Ballot ballot{roster_.branch,   Term{10 + static_cast<std::uint64_t>(i)},
                        t.name,           static_cast<std::uint64_t>(i),
                        roster_.lease_ms, 0,
                        roster_.version};
    for (auto& [name, other] : tills_) {
      if (&other == &t || !other.election) continue;
      deliver(t.name.text, name, PreVote{ballot});
      deliver(t.name.text, name, RequestGrant{ballot, Binary(t.key.sign(ballot.grant_bytes(t.name)))});
    }
  }
}

// roster without TILL | frozen | confirmed | again [reaches TILLS]
void LeaseShop::roster(const std::vector<std::string>& words) {
  const bool removes = words.at(1) == "without";
  if (removes) std::erase_if(roster_.members, [&](const Member& m) { return m.name.text == words.at(2); });
  if (words[1] == "frozen") roster_.frozen = true, ++roster_.epoch;
  if (words[1] == "confirmed") roster_.frozen = false;
  if (words[1] != "again") ++roster_.version;
  roster_.sign(*tenant_);
  const std::size_t reaches = removes ? 4 : 3;
  for (const std::string& name : names(words.size() > reaches ? words[reaches] : "all")) {
    Till& t = till(name);
    t.roster = roster_;
    if (t.election) act(t, t.election->on_roster({now_}, roster_));
  }
}

void LeaseShop::view() {
  constexpr const char* kKinds[] = {"nobody hosts", "hosts provisionally", "hosts"};
  for (auto& [name, t] : tills_) {
    if (!t.election) {
      out_ += name + ": not running\n";
      continue;
    }
    const LeaseView v = t.election->view({now_});
    const bool mine = v.host.text == name;
    out_ += name + ": " +
            (v.kind == LeaseKind::none ? ""
             : mine                    ? "it "
                                       : v.host.text + " ") +
            kKinds[static_cast<int>(v.kind)];
    if (v.kind != LeaseKind::none)
      out_ +=
          ", term " + std::to_string(v.term.value) + ", for " + std::to_string(to_ms(v.until - Instant{now_})) + " ms";
    out_ += "\n";
  }
}

void LeaseShop::say(const std::string& line, bool detail) {
  if (everything_ || !detail) out_ += in_seconds(now_) + line + "\n";
}

LeaseShop::Till& LeaseShop::till(const std::string& name) {
  const auto it = tills_.find(name);
  return it != tills_.end() ? it->second : throw std::runtime_error("no such till: " + name);
}

std::set<std::string> LeaseShop::names(const std::string& text) const {
  std::set<std::string> out;
  std::istringstream in(text);
  for (std::string name; std::getline(in, name, ',');) {
    if (name != "all") out.insert(name);
    if (name != "all") continue;
    for (const auto& [each, unused] : tills_) out.insert(each);
  }
  return out;
}

}  // namespace tillsync
