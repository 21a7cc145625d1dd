// The primitives of Noise_*_25519_ChaChaPoly_BLAKE2b (Noise specification revision 34, section 12) over libsodium.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <tillsync/bytes.hpp>
#include <utility>
#include <vector>

namespace tillsync::noise {

constexpr std::size_t kKeyBytes = 32, kTagBytes = 16, kHashBytes = 64;

using Key = std::array<std::uint8_t, kKeyBytes>;
using Digest = std::array<std::uint8_t, kHashBytes>;

struct KeyPair {
  Key secret{};
  Key open{};  // the public half
  static KeyPair of(const Key& secret);
};

inline ByteView view(const Key& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }
inline ByteView view(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }
Key key_of(ByteView bytes);  // exactly 32 bytes

// Nothing for a public key of low order: its result would be known to everyone.
std::optional<Key> diffie_hellman(const Key& secret, const Key& open);

Digest hash(ByteView a, ByteView b = {});
// HKDF with `n` outputs, 2 or 3 (section 4.3).
std::vector<Digest> hkdf(const Digest& chaining_key, ByteView input, int n);

// One direction's cipher: a key and a counting nonce (section 5.1).
class CipherState {
 public:
  CipherState() = default;
  explicit CipherState(const Key& key) : key_(key), keyed_(true) {}

  bool keyed() const { return keyed_; }
  Bytes encrypt(ByteView ad, ByteView plain);                  // plain as it is while there is no key
  std::optional<Bytes> decrypt(ByteView ad, ByteView cipher);  // nothing when it was tampered with
  void rekey();

 private:
  Bytes seal(std::uint64_t nonce, ByteView ad, ByteView plain) const;
  Key key_{};
  bool keyed_ = false;
  std::uint64_t nonce_ = 0;
};

}  // namespace tillsync::noise
