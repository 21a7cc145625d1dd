#include "transport/net/noise/primitives.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace tillsync::noise {

namespace {

constexpr std::size_t kBlockBytes = 128;  // of BLAKE2b

const std::uint8_t* raw(ByteView bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }

// HMAC (RFC 2104) with BLAKE2b: Noise uses it rather than BLAKE2's own keying.
Digest hmac(const Digest& key, ByteView a, ByteView b = {}) {
  std::array<char, kBlockBytes> inner, outer;
  inner.fill(0x36), outer.fill(0x5c);
  for (std::size_t i = 0; i < key.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ key[i]);
    outer[i] = static_cast<char>(outer[i] ^ key[i]);
  }
  const Digest first = hash({inner.data(), inner.size()}, Bytes(a) + Bytes(b));
  return hash({outer.data(), outer.size()}, view(first));
}

std::array<std::uint8_t, 12> nonce_bytes(std::uint64_t n) {
  std::array<std::uint8_t, 12> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[4 + i] = static_cast<std::uint8_t>(n >> (8 * i));
  return bytes;
}

}  // namespace

KeyPair KeyPair::of(const Key& secret) {
  KeyPair pair{secret, {}};
  crypto_scalarmult_base(pair.open.data(), secret.data());
  return pair;
}

Key key_of(ByteView bytes) {
  Key key{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), key.size()), key.begin());
  return key;
}

std::optional<Key> diffie_hellman(const Key& secret, const Key& open) {
  Key shared;
  if (crypto_scalarmult(shared.data(), secret.data(), open.data()) != 0) return std::nullopt;
  return shared;
}

Digest hash(ByteView a, ByteView b) {
  Digest out;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, out.size());
  crypto_generichash_update(&state, raw(a), a.size());
  crypto_generichash_update(&state, raw(b), b.size());
  crypto_generichash_final(&state, out.data(), out.size());
  return out;
}

std::vector<Digest> hkdf(const Digest& chaining_key, ByteView input, int n) {
  const Digest temp = hmac(chaining_key, input);
  std::vector<Digest> out;
  for (int i = 1; i <= n; ++i) {
    const char index = static_cast<char>(i);
    out.push_back(hmac(temp, out.empty() ? ByteView{} : view(out.back()), {&index, 1}));
  }
  return out;
}

Bytes CipherState::seal(std::uint64_t nonce, ByteView ad, ByteView plain) const {
  Bytes out(plain.size() + kTagBytes, '\0');
  unsigned long long n = 0;
  crypto_aead_chacha20poly1305_ietf_encrypt(reinterpret_cast<std::uint8_t*>(out.data()), &n, raw(plain), plain.size(),
                                            raw(ad), ad.size(), nullptr, nonce_bytes(nonce).data(), key_.data());
  return out;
}

Bytes CipherState::encrypt(ByteView ad, ByteView plain) { return keyed_ ? seal(nonce_++, ad, plain) : Bytes(plain); }

std::optional<Bytes> CipherState::decrypt(ByteView ad, ByteView cipher) {
  if (!keyed_) return Bytes(cipher);
  if (cipher.size() < kTagBytes) return std::nullopt;
  Bytes out(cipher.size() - kTagBytes, '\0');
  unsigned long long n = 0;
  const int opened = crypto_aead_chacha20poly1305_ietf_decrypt(reinterpret_cast<std::uint8_t*>(out.data()), &n, nullptr,
                                                               raw(cipher), cipher.size(), raw(ad), ad.size(),
                                                               nonce_bytes(nonce_).data(), key_.data());
  if (opened != 0) return std::nullopt;
  ++nonce_;
  return out;
}

void CipherState::rekey() {
  const Bytes zeros(kKeyBytes, '\0');
  key_ = key_of(seal(std::numeric_limits<std::uint64_t>::max(), {}, zeros));
}

}  // namespace tillsync::noise
