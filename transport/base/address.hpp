// A host and a port.
#pragma once

#include <cstdint>
#include <string>
#include <tillsync/result.hpp>

namespace tillsync {

// Where a listener or a peer is: "127.0.0.1:7700", "[::1]:7700", "cloud.example.org:7800".
struct Address {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
  std::string text() const;
  static Result<Address> parse(const std::string& text);
};

}  // namespace tillsync
