#include "transport/net/noise/handshake.hpp"

#include <algorithm>
#include <array>

namespace tillsync::noise {

namespace {
constexpr std::array<const char*, 6> kNames = {"NK", "KK", "XK", "IK", "XX", "XXpsk3"};

Key first_half(const Digest& digest) { return key_of(view(digest).substr(0, kKeyBytes)); }
}  // namespace

std::optional<Pattern> pattern_named(const std::string& name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  return at == kNames.end() ? std::nullopt : std::optional(static_cast<Pattern>(at - kNames.begin()));
}

Handshake::Script Handshake::script_of(Pattern pattern) {
  using enum Token;
  switch (pattern) {
    case Pattern::NK:
      return {{}, {s}, {{e, es}, {e, ee}}};
    case Pattern::KK:
      return {{s}, {s}, {{e, es, ss}, {e, ee, se}}};
    case Pattern::XK:
      return {{}, {s}, {{e, es}, {e, ee}, {s, se}}};
    case Pattern::IK:
      return {{}, {s}, {{e, es, s, ss}, {e, ee, se}}};
    case Pattern::XX:
      return {{}, {}, {{e}, {e, ee, s, es}, {s, se}}};
    case Pattern::XXpsk3:
      return {{}, {}, {{e}, {e, ee, s, es}, {s, se, psk}}};
  }
  return {};
}

Handshake::Handshake(Pattern pattern, Side side, ByteView prologue, Keys keys) : side_(side), keys_(keys) {
  const Script script = script_of(pattern);
  messages_ = script.messages;
  uses_psk_ = pattern == Pattern::XXpsk3;
  const std::string name =
      std::string("Noise_") + kNames[static_cast<std::size_t>(pattern)] + "_25519_ChaChaPoly_BLAKE2b";
  std::copy(name.begin(), name.end(), hash_.begin());  // shorter than a hash: padded with zeros
  chaining_key_ = hash_;
  mix_hash(prologue);
  const bool initiator = side_ == Side::initiator;
  if (!script.initiator_pre.empty()) mix_hash(view(initiator ? keys_.own->open : *keys_.remote));
  if (!script.responder_pre.empty()) mix_hash(view(initiator ? *keys_.remote : keys_.own->open));
}

bool Handshake::my_turn() const { return !finished() && (next_ % 2 == 0) == (side_ == Side::initiator); }

std::optional<Bytes> Handshake::write(ByteView payload) {
  Bytes out;
  for (Token token : messages_[next_++]) {
    if (token == Token::e) {
      out += view(keys_.fresh.open);
      mix_hash(view(keys_.fresh.open));
      if (uses_psk_) mix_key(view(keys_.fresh.open));
    } else if (token == Token::s) {
      out += encrypt_and_hash(view(keys_.own->open));
    } else if (token == Token::psk) {
      mix_key_and_hash(view(*keys_.psk));
    } else if (!mix_dh(token)) {
      return std::nullopt;
    }
  }
  out += encrypt_and_hash(payload);
  return out;
}

std::optional<Bytes> Handshake::read(ByteView message) {
  for (Token token : messages_[next_++]) {
    if (token == Token::e) {
      auto key = take_key(message, false);
      if (!key) return std::nullopt;
      remote_fresh_ = key_of(*key);
      mix_hash(*key);
      if (uses_psk_) mix_key(*key);
    } else if (token == Token::s) {
      auto key = take_key(message, cipher_.keyed());
      auto plain = key ? decrypt_and_hash(*key) : std::nullopt;
      if (!plain) return std::nullopt;
      keys_.remote = key_of(*plain);
    } else if (token == Token::psk) {
      mix_key_and_hash(view(*keys_.psk));
    } else if (!mix_dh(token)) {
      return std::nullopt;
    }
  }
  return decrypt_and_hash(message);
}

std::optional<Bytes> Handshake::take_key(ByteView& message, bool encrypted) {
  const std::size_t n = kKeyBytes + (encrypted ? kTagBytes : 0);
  if (message.size() < n) return std::nullopt;
  Bytes key(message.substr(0, n));
  message.remove_prefix(n);
  return key;
}

bool Handshake::mix_dh(Token token) {
  const bool initiator = side_ == Side::initiator;
  const bool own_static = token == Token::ss || token == (initiator ? Token::se : Token::es);
  const bool their_static = token == Token::ss || token == (initiator ? Token::es : Token::se);
  auto shared = diffie_hellman(own_static ? keys_.own->secret : keys_.fresh.secret,
                               their_static ? *keys_.remote : *remote_fresh_);
  if (!shared) return false;
  mix_key(view(*shared));
  return true;
}

void Handshake::mix_key(ByteView input) {
  const auto out = hkdf(chaining_key_, input, 2);
  chaining_key_ = out[0];
  cipher_ = CipherState(first_half(out[1]));
}

void Handshake::mix_hash(ByteView data) { hash_ = noise::hash(view(hash_), data); }

void Handshake::mix_key_and_hash(ByteView input) {
  const auto out = hkdf(chaining_key_, input, 3);
  chaining_key_ = out[0];
  mix_hash(view(out[1]));
  cipher_ = CipherState(first_half(out[2]));
}

Bytes Handshake::encrypt_and_hash(ByteView plain) {
  Bytes cipher = cipher_.encrypt(view(hash_), plain);
  mix_hash(cipher);
  return cipher;
}

std::optional<Bytes> Handshake::decrypt_and_hash(ByteView cipher) {
  auto plain = cipher_.decrypt(view(hash_), cipher);
  if (plain) mix_hash(cipher);
  return plain;
}

Handshake::Channel Handshake::split() const {
  const auto out = hkdf(chaining_key_, {}, 2);
  const CipherState first(first_half(out[0])), second(first_half(out[1]));
  return side_ == Side::initiator ? Channel{first, second} : Channel{second, first};
}

}  // namespace tillsync::noise
