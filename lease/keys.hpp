// Ed25519 identities (RFC 8032). Every member of a roster has one; its X25519 form (RFC 7748) opens Noise channels.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <tillsync/bytes.hpp>
#include <tillsync/hash.hpp>
#include <tillsync/result.hpp>
#include <unordered_map>

namespace tillsync {

struct PublicKey {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const PublicKey&) const = default;
  bool is_zero() const { return *this == PublicKey{}; }
  std::string hex() const;
  static std::optional<PublicKey> from_hex(const std::string& hex);
  static std::optional<PublicKey> from_bytes(ByteView raw);
  ByteView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

  bool verify(ByteView message, ByteView signature) const;
  std::optional<std::array<std::uint8_t, 32>> x25519() const;  // nothing for a point that is none
};

// Wiped from memory when it goes.
class SecretKey {
 public:
  // The same 32-byte seed gives the same key: tests and the simulator use fixed seeds, production random ones.
  static SecretKey from_seed(const std::array<std::uint8_t, 32>& seed);
  static Result<SecretKey> from_hex(const std::string& hex);
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  const PublicKey& public_key() const { return public_; }
  Bytes sign(ByteView message) const;
  std::array<std::uint8_t, 32> x25519() const;
  std::string seed_hex() const;

 private:
  SecretKey() = default;
  std::array<std::uint8_t, 64> secret_{};
  PublicKey public_;
};

// While one lives, this thread remembers which signatures it found right and does not compute them again: for a
// simulator, where all the nodes of a branch check the same ones. What was never checked is never taken for right.
class RememberedSignatures {
 public:
  RememberedSignatures();
  ~RememberedSignatures();
  RememberedSignatures(const RememberedSignatures&) = delete;
  RememberedSignatures& operator=(const RememberedSignatures&) = delete;

 private:
  friend struct PublicKey;
  bool knows(const PublicKey& key, ByteView message, ByteView signature) const;
  void remember(const PublicKey& key, ByteView message, ByteView signature);
  std::unordered_map<std::string, std::string> right_;  // signature -> whose, and of what
  RememberedSignatures* outer_;
};

}  // namespace tillsync
