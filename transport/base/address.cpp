#include "transport/base/address.hpp"

#include <charconv>

namespace tillsync {

std::string Address::text() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Result<Address> Address::parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Address address;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    address.host = text.substr(0, colon);
    if (address.host.size() > 2 && address.host.front() == '[')
      address.host = address.host.substr(1, address.host.size() - 2);
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, address.port);
    good = read.ec == std::errc() && read.ptr == end;
  }
  if (!good)
    return fail(ErrorKind::invalid, "'" + text + "' is not an address: write HOST:PORT, such as 192.168.1.10:7700");
  return address;
}

}  // namespace tillsync
