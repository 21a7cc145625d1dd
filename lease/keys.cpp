#include "lease/keys.hpp"

#include <sodium.h>

namespace tillsync {

namespace {

const unsigned char* raw(ByteView v) { return reinterpret_cast<const unsigned char*>(v.data()); }

std::optional<std::array<std::uint8_t, 32>> bytes_of_hex(const std::string& hex) {
  std::array<std::uint8_t, 32> out{};
  std::size_t n = 0;
  if (hex.size() != 64 || sodium_hex2bin(out.data(), out.size(), hex.data(), hex.size(), nullptr, &n, nullptr) != 0 ||
      n != out.size()) {
    return std::nullopt;
  }
  return out;
}

std::string hex_of(const std::uint8_t* data, std::size_t n) {
  std::string text(n * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), data, n);
  text.pop_back();
  return text;
}

}  // namespace

std::string PublicKey::hex() const { return hex_of(bytes.data(), bytes.size()); }

std::optional<PublicKey> PublicKey::from_hex(const std::string& hex) {
  const auto bytes = bytes_of_hex(hex);
  return bytes ? std::optional(PublicKey{*bytes}) : std::nullopt;
}

std::optional<PublicKey> PublicKey::from_bytes(ByteView raw_bytes) {
  PublicKey key;
  if (raw_bytes.size() != key.bytes.size()) return std::nullopt;
  std::copy(raw_bytes.begin(), raw_bytes.end(), key.bytes.begin());
  return key;
}

namespace {
constexpr std::size_t kMaxRemembered = 500;
thread_local RememberedSignatures* remembered = nullptr;  // of the simulation that runs on this thread, if one does
}  // namespace

RememberedSignatures::RememberedSignatures() : outer_(std::exchange(remembered, this)) {}

RememberedSignatures::~RememberedSignatures() { remembered = outer_; }

bool RememberedSignatures::knows(const PublicKey& key, ByteView message, ByteView signature) const {
  const auto it = right_.find(std::string(signature));
  return it != right_.end() && ByteView(it->second).substr(0, 32) == key.view() &&
         ByteView(it->second).substr(32) == message;
}

void RememberedSignatures::remember(const PublicKey& key, ByteView message, ByteView signature) {
  if (right_.size() >= kMaxRemembered) right_.clear();
  right_.insert_or_assign(std::string(signature), std::string(key.view()) + std::string(message));
}

bool PublicKey::verify(ByteView message, ByteView signature) const {
  if (signature.size() != crypto_sign_BYTES) return false;
  if (remembered != nullptr && remembered->knows(*this, message, signature)) return true;
  const bool right = crypto_sign_verify_detached(raw(signature), raw(message), message.size(), bytes.data()) == 0;
  if (right && remembered != nullptr) remembered->remember(*this, message, signature);
  return right;
}

std::optional<std::array<std::uint8_t, 32>> PublicKey::x25519() const {
  std::array<std::uint8_t, 32> out{};
  if (crypto_sign_ed25519_pk_to_curve25519(out.data(), bytes.data()) != 0) return std::nullopt;
  return out;
}

SecretKey SecretKey::from_seed(const std::array<std::uint8_t, 32>& seed) {
  SecretKey key;
  crypto_sign_seed_keypair(key.public_.bytes.data(), key.secret_.data(), seed.data());
  return key;
}

Result<SecretKey> SecretKey::from_hex(const std::string& hex) {
  const auto seed = bytes_of_hex(hex);
  if (!seed) return fail(ErrorKind::damaged, "a key file does not hold 64 hex digits: restore it from your copy");
  return from_seed(*seed);
}

SecretKey::~SecretKey() { sodium_memzero(secret_.data(), secret_.size()); }

Bytes SecretKey::sign(ByteView message) const {
  Bytes signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, raw(message), message.size(),
                       secret_.data());
  return signature;
}

std::array<std::uint8_t, 32> SecretKey::x25519() const {
  std::array<std::uint8_t, 32> out{};
  [[maybe_unused]] const int done = crypto_sign_ed25519_sk_to_curve25519(out.data(), secret_.data());
  return out;
}

std::string SecretKey::seed_hex() const { return hex_of(secret_.data(), 32); }

}  // namespace tillsync
