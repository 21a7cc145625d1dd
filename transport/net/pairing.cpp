#include "transport/net/pairing.hpp"

#include <sodium.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/steady_timer.hpp>

#include "storage/base/pack.hpp"
#include "transport/base/settings.hpp"
#include "transport/net/as_tuple.hpp"
#include "transport/net/connect.hpp"
#include "transport/net/records.hpp"

namespace tillsync {

using asio::ip::tcp;
using noise::Handshake;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::string_view kPairPrologue = "tillsync pair 1";
constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's base 32

// What people type: any case, with or without dashes and blanks.
std::string normal(const std::string& code) {
  std::string out;
  for (char c : code) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) out += c;
  }
  return out;
}

Result<noise::Key> stretched(const std::string& code) {
  const std::string text = normal(code);
  std::array<std::uint8_t, crypto_pwhash_SALTBYTES> salt{};
  std::copy(kPairPrologue.begin(), kPairPrologue.end(), salt.begin());
  noise::Key key;
  if (crypto_pwhash(key.data(), key.size(), text.data(), text.size(), salt.data(), crypto_pwhash_OPSLIMIT_INTERACTIVE,
                    crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(ErrorKind::busy, "not enough memory to check the code: close other programs, then try again");
  }
  return key;
}

Handshake::Keys keys_of(const SecretKey& key, const noise::Key& psk) {
  return {noise::KeyPair::of(key.x25519()), noise::KeyPair::of(fresh_secret().x25519()), {}, psk};
}

struct Invitation {
  noise::Key psk;
  std::function<PairGrant(const PairRequest&)> grant;
  SecretKey key = fresh_secret();  // of this one invitation: the code is what vouches for it
  int tries = 0;
  std::optional<PairRequest> done;
};

// One try. The psk comes with the last message: a wrong code can't be told from noise before.
asio::awaitable<void> answer(tcp::socket socket, Invitation& invitation) {
  Handshake shake(noise::Pattern::XXpsk3, Handshake::Side::responder, kPairPrologue,
                  keys_of(invitation.key, invitation.psk));
  auto first = co_await receive_record(socket);
  if (!first || !shake.read(*first)) co_return;
  auto second = shake.write({});
  if (!second) co_return;
  const bool sent = co_await send_record(socket, std::move(*second));
  auto third = co_await receive_record(socket);
  if (!sent || !third) co_return;
  auto payload = shake.read(*third);
  auto request = payload ? unpack<PairRequest>(*payload) : std::nullopt;
  const auto key = request ? PublicKey::from_bytes(request->key) : std::nullopt;
  if (!key || key->x25519() != shake.remote()) {
    ++invitation.tries;
    co_return;
  }
  PairGrant grant = invitation.grant(*request);
  Handshake::Channel channel = shake.split();
  const bool told = co_await send_record(socket, channel.send.encrypt({}, pack(grant)));
  if (told && grant.refusal.empty()) invitation.done = std::move(request);
}

asio::awaitable<void> serve(tcp::acceptor& acceptor, Invitation& invitation) {
  while (!invitation.done && invitation.tries < kPairTries) {
    auto [error, socket] = co_await acceptor.async_accept(kTuple);
    if (error) co_return;
    asio::steady_timer limit(acceptor.get_executor(), std::chrono::seconds(10));
    co_await (answer(std::move(socket), invitation) || limit.async_wait(kTuple));
  }
}

asio::awaitable<void> ask(Address at, Handshake& shake, const PairRequest& request, Result<PairGrant>& out) {
  auto connected = co_await connect_to(at);
  if (!connected && connected.error().kind == ErrorKind::not_found) {
    out = tl::unexpected(connected.error());
    co_return;
  }
  if (!connected) {
    out = fail(ErrorKind::refused, "nobody invites at " + at.text() + ": run 'tillsync pair invite' there first");
    co_return;
  }
  tcp::socket& socket = *connected;
  auto first = shake.write({});
  const bool sent = co_await send_record(socket, std::move(*first));
  auto second = co_await receive_record(socket);
  if (!sent || !second || !shake.read(*second)) co_return;
  auto third = shake.write(pack(request));
  if (!third) co_return;
  const bool told = co_await send_record(socket, std::move(*third));
  auto sealed = co_await receive_record(socket);
  if (!told || !sealed) {
    out = fail(ErrorKind::refused, "the code is wrong or was used already: type it again, or ask for a new one");
    co_return;
  }
  Handshake::Channel channel = shake.split();
  auto plain = channel.receive.decrypt({}, *sealed);
  auto grant = plain ? unpack<PairGrant>(*plain) : std::nullopt;
  if (!grant) co_return;
  out = grant->refusal.empty() ? Result<PairGrant>(std::move(*grant)) : fail(ErrorKind::refused, grant->refusal);
}

}  // namespace

std::string fresh_pair_code() {
  std::string code;
  for (int i = 0; i < 12; ++i) {
    if (i % 4 == 0 && i > 0) code += '-';
    code += kAlphabet[randombytes_uniform(32)];
  }
  return code;
}

Result<PairRequest> invite(const Address& listen, const std::string& code,
                           const std::function<PairGrant(const PairRequest&)>& grant,
                           const std::function<void(std::uint16_t)>& on_listening, Duration limit) {
  auto psk = stretched(code);
  if (!psk) return tl::unexpected(psk.error());
  asio::io_context io;
  auto acceptor = open_acceptor(io, listen);
  if (!acceptor) return tl::unexpected(acceptor.error());
  on_listening(acceptor->local_endpoint().port());
  Invitation invitation;
  invitation.psk = *psk;
  invitation.grant = grant;
  asio::co_spawn(io, serve(*acceptor, invitation), [&io](std::exception_ptr) { io.stop(); });
  io.run_for(limit);
  if (invitation.done) return std::move(*invitation.done);
  if (invitation.tries >= kPairTries) {
    return fail(ErrorKind::refused,
                "five wrong codes: this invitation is over; if nobody mistyped, someone else is trying");
  }
  return fail(ErrorKind::timed_out, "nobody joined in time: invite again when the new till is ready");
}

Result<PairGrant> join(const Address& at, const std::string& code, const PairRequest& request, const SecretKey& key) {
  if (normal(code).size() != 12)
    return fail(ErrorKind::invalid, "a code has twelve letters and digits, such as 7KQ2-M9TD-4XWB");
  auto psk = stretched(code);
  if (!psk) return tl::unexpected(psk.error());
  asio::io_context io;
  Handshake shake(noise::Pattern::XXpsk3, Handshake::Side::initiator, kPairPrologue, keys_of(key, *psk));
  Result<PairGrant> out =
      fail(ErrorKind::timed_out, "no answer from " + at.text() + ": check the address and the network");
  asio::co_spawn(io, ask(at, shake, request, out), asio::detached);
  io.run_for(std::chrono::seconds(15));
  return out;
}

}  // namespace tillsync
