#include "sim/world/describe.hpp"

#include "engine/wire/messages.hpp"

namespace tillsync::sim {

namespace {

std::string text(std::uint64_t n) { return std::to_string(n); }
std::string text(const WireChain& chain) { return chain.till.text + "/" + text(chain.incarnation.value % 10000); }
std::string text(const Ballot& b) { return "term " + text(b.term.value) + " for " + b.candidate.text; }
const char* text(Level level) {
  constexpr const char* kNames[] = {"own disk", "two disks", "host", "cloud"};
  return kNames[static_cast<int>(level) & 3];
}

std::string words(const HistoryOffer& m) {
  return "HistoryOffer " + text(m.chain) + " up to " + text(m.last.seq.value) + ", cloud " + text(m.cloud.seq.value);
}
std::string words(const Ack& m) {
  return "Ack " + text(m.chain) + " up to " + text(m.point.seq.value) + " (" + text(m.level) + ")";
}
std::string words(const Push& m) {
  return "Push " + text(m.chain) + " " + text(m.first.value) + ".." + text(m.first.value + m.ops.size() - 1);
}
std::string words(const Fetch& m) { return "Fetch " + text(m.chain) + " from " + text(m.from.value); }
std::string words(const Fetched& m) {
  return "Fetched " + text(m.chain) + " from " + text(m.from.value) + ", " + text(m.ops.size()) + " ops";
}
std::string words(const Pull&) { return "Pull"; }
std::string words(const Pages& m) {
  std::string out = "Pages";
  for (const Page& page : m.pages) {
    out += " " + page.feed + " " + page.kind + " " + text(page.from.value) + ".." + text(page.to.value) + " (" +
           text(page.rows.size()) + " rows)";
  }
  return out;
}
std::string words(const Seen&) { return "Seen"; }
std::string words(const PullEvents&) { return "PullEvents"; }
std::string words(const Events& m) { return "Events of " + text(m.ops.size()) + " ops"; }
std::string words(const Ping&) { return "Ping"; }
std::string words(const Pong&) { return "Pong"; }
std::string words(const NewRoster&) { return "NewRoster"; }
std::string words(const Busy& m) { return "Busy " + m.chain.till.text + " for " + std::to_string(m.after_ms) + " ms"; }
std::string words(const Progress& m) { return "Progress " + m.chain.till.text; }
std::string words(const Vitals& m) {
  return "Vitals " + text(m.unsent) + " unsent, roster " + text(m.roster_version) + ", fitness " + text(m.fitness);
}
std::string words(const TwoGrants& m) { return "TwoGrants of " + m.grantor.text + ", " + text(m.first); }
std::string words(const Command& m) {
  return "Command " + m.name + " in term " + text(m.certificate.ballot.term.value);
}
std::string words(const Commanded& m) { return "Commanded" + (m.refusal.empty() ? "" : ": " + m.refusal); }
std::string words(const Question& m) { return "Question " + m.what; }
std::string words(const Answer&) { return "Answer"; }
std::string words(const CloudReset& m) { return "CloudReset, generation " + text(m.generation); }
std::string words(const DivergentBatchAck& m) {
  return "DivergentBatchAck " + text(m.chain) + " up to " + text(m.end.seq.value);
}
std::string words(const Unknown& m) { return "Unknown, type " + text(m.type); }
std::string words(const PreVote& m) { return "PreVote " + text(m.ballot); }
std::string words(const PreVoteReply& m) {
  return std::string("PreVoteReply ") + (m.granted ? "yes" : "no") + ", term " + text(m.term.value) + ", " +
         text(m.remaining_ms) + " ms";
}
std::string words(const RequestGrant& m) { return "RequestGrant " + text(m.ballot); }
std::string words(const Grant& m) { return "Grant " + text(m.ballot); }
std::string words(const Deny& m) {
  return "Deny, term " + text(m.term.value) + " is " + m.holder.text + "'s for " + text(m.remaining_ms) + " ms";
}
std::string words(const Release& m) { return "Release term " + text(m.term.value); }
std::string words(const Announce& m) {
  return "Announce term " + text(m.term.value) +
         (m.certificate ? ", exclusive"
          : m.renewed   ? ", renewed"
                        : ", provisional");
}

}  // namespace

std::string describe(ByteView bytes) {
  const auto message = decode_message(bytes);
  if (!message) return "a malformed message";
  return std::visit([](const auto& m) { return words(m); }, *message);
}

}  // namespace tillsync::sim
