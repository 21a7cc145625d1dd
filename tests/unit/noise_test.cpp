#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "storage/base/random.hpp"
#include "transport/net/hello.hpp"
#include "transport/net/noise/secure_stream.hpp"

using namespace tillsync;
using namespace tillsync::noise;

namespace {

Bytes from_hex(const std::string& hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

std::optional<Key> key_at(const nlohmann::json& v, const char* field) {
  return v.contains(field) ? std::optional(key_of(from_hex(v[field]))) : std::nullopt;
}

Handshake::Keys keys_at(const nlohmann::json& v, const std::string& side) {
  Handshake::Keys keys;
  if (auto s = key_at(v, (side + "_static").c_str())) keys.own = KeyPair::of(*s);
  keys.fresh = KeyPair::of(*key_at(v, (side + "_ephemeral").c_str()));
  keys.remote = key_at(v, (side + "_remote_static").c_str());
  if (const auto psks = v.find(side + "_psks"); psks != v.end()) keys.psk = key_of(from_hex(psks->at(0)));
  return keys;
}

void check_vector(const nlohmann::json& v) {
  const std::string name = v["protocol_name"];
  CAPTURE(name);
  const auto pattern = pattern_named(name.substr(6, name.find('_', 6) - 6));
  REQUIRE(pattern);
  Handshake a(*pattern, Handshake::Side::initiator, from_hex(v["init_prologue"]), keys_at(v, "init"));
  Handshake b(*pattern, Handshake::Side::responder, from_hex(v["resp_prologue"]), keys_at(v, "resp"));
  std::optional<Handshake::Channel> ab, ba;
  bool from_a = true;
  for (const auto& m : v["messages"]) {
    const Bytes payload = from_hex(m["payload"]), expected = from_hex(m["ciphertext"]);
    if (!ab) {
      Handshake& from = a.my_turn() ? a : b;
      Handshake& to = a.my_turn() ? b : a;
      from_a = &from == &b;  // the other one speaks next
      REQUIRE(from.write(payload) == expected);
      REQUIRE(to.read(expected) == payload);
      if (a.finished()) ab = a.split(), ba = b.split();
    } else {
      CipherState& send = from_a ? ab->send : ba->send;
      CipherState& receive = from_a ? ba->receive : ab->receive;
      REQUIRE(send.encrypt({}, payload) == expected);
      REQUIRE(receive.decrypt({}, expected) == payload);
      from_a = !from_a;
    }
  }
  CHECK(Bytes(view(a.hash())) == from_hex(v["handshake_hash"]));
  CHECK(a.hash() == b.hash());
}

Key number_key(std::uint64_t seed) {
  Random random(seed);
  Key key;
  for (auto& byte : key) byte = static_cast<std::uint8_t>(random.next());
  return key;
}

struct Ends {
  RecordWriter writer;
  RecordReader reader;
};

Ends connected() {
  const Key key = number_key(5);
  return {RecordWriter(CipherState(key), Instant{}), RecordReader(CipherState(key))};
}

}  // namespace

TEST_CASE("handshakes and channels are the public Noise test vectors, byte for byte") {
  const std::string path = TILLSYNC_SHARED "/vectors/noise.json";
  if (!std::filesystem::exists(path)) {
    MESSAGE("left out: no Noise test vectors at ../shared/vectors");
    return;
  }
  std::ifstream in(path);
  const auto vectors = nlohmann::json::parse(in);
  std::size_t checked = 0;
  for (const auto& v : vectors["vectors"]) check_vector(v), ++checked;
  CHECK(checked == 6);
}

TEST_CASE("two ends of an IK handshake agree, know each other, and share nothing with a third") {
  const KeyPair till = KeyPair::of(number_key(1)), host = KeyPair::of(number_key(2));
  Handshake a(Pattern::IK, Handshake::Side::initiator, kPrologue, {till, KeyPair::of(number_key(3)), host.open, {}});
  Handshake b(Pattern::IK, Handshake::Side::responder, kPrologue, {host, KeyPair::of(number_key(4)), {}, {}});
  CHECK(b.read(*a.write("hello")) == "hello");
  CHECK(b.remote() == till.open);
  CHECK(a.read(*b.write("well met")) == "well met");
  Handshake::Channel here = a.split(), there = b.split();
  Bytes sealed = here.send.encrypt({}, "17 loaves");
  SUBCASE("whole") { CHECK(there.receive.decrypt({}, sealed) == "17 loaves"); }
  SUBCASE("one bit changed on the way") {
    sealed[3] = static_cast<char>(sealed[3] ^ 1);
    CHECK_FALSE(there.receive.decrypt({}, sealed));
  }
  SUBCASE("a stranger who answers in the host's place") {
    Handshake third(Pattern::IK, Handshake::Side::responder, kPrologue,
                    {KeyPair::of(number_key(9)), KeyPair::of(number_key(10)), {}, {}});
    Handshake again(Pattern::IK, Handshake::Side::initiator, kPrologue,
                    {till, KeyPair::of(number_key(3)), host.open, {}});
    CHECK_FALSE(third.read(*again.write("hello")));
  }
}

TEST_CASE("messages of any size arrive whole and in order, however the wire cuts them, across changes of key") {
  Random random(11);
  auto [writer, reader] = connected();
  std::vector<Bytes> sent, got;
  Bytes wire;
  Instant now{};
  for (int i = 0; i < 60; ++i) {
    Bytes message(1 + random.below(i % 20 == 0 ? kMaxFrame : 3000), '\0');
    for (char& c : message) c = static_cast<char>(random.next());
    now = now + std::chrono::minutes(7);  // an hour's key lasts nine messages
    wire += writer.seal(now, message);
    sent.push_back(std::move(message));
  }
  CHECK(writer.rekeys() >= 5);
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t n = std::min<std::size_t>(1 + random.below(90'000), wire.size() - at);
    auto messages = reader.take(ByteView(wire).substr(at, n));
    REQUIRE(messages);
    for (Bytes& each : *messages) got.push_back(std::move(each));
    at += n;
  }
  CHECK(got == sent);
}

TEST_CASE("a frame that lies about its size is refused before anything is allocated for it") {
  const Key key = number_key(5);
  CipherState liar(key);
  RecordReader reader{CipherState(key)};
  const Bytes record = liar.encrypt({}, ByteView("\x7f\xff\xff\xff", 4));
  Bytes wire{'\0', static_cast<char>(record.size())};
  const auto refused = reader.take(wire + record);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("limit is 1 MiB") != std::string::npos);
}

TEST_CASE("a record that was tampered with, or sent twice, ends the connection") {
  auto [writer, reader] = connected();
  const Bytes once = writer.seal(Instant{}, "sale");
  SUBCASE("twice") {
    CHECK(reader.take(once)->size() == 1);
    CHECK_FALSE(reader.take(once));
  }
  SUBCASE("tampered") {
    Bytes changed = once;
    changed.back() = static_cast<char>(changed.back() ^ 4);
    CHECK_FALSE(reader.take(changed));
  }
}

TEST_CASE("releases of overlapping protocol versions talk in the older one's, others are told which end to update") {
  Hello old, newer;
  old.name = TillId{"till-1"}, newer.name = TillId{"till-2"};
  old.oldest = 1, old.newest = 2, newer.oldest = 2, newer.newest = 5;
  CHECK(agree(old, newer).value() == 2);
  newer.oldest = 3;
  CHECK(agree(old, newer).error().message.find("till-1 runs a release that is too old") != std::string::npos);
  CHECK(agree(newer, old).error().message.find("till-1") != std::string::npos);
}
