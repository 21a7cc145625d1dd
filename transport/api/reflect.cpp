#include "transport/api/reflect.hpp"

#include <algorithm>

namespace tillsync::api {

namespace {

constexpr std::size_t kMostShown = 40;  // bytes of a value that was wrong

std::string shown(const Json& json) {
  std::string text = json_text(json);
  if (text.size() <= kMostShown) return text;
  text.resize(kMostShown);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0) == 0x80) text.pop_back();
  return text + "...";
}

}  // namespace

std::string Place::text() const {
  std::string out = in == nullptr ? std::string() : in->text();
  if (index) return out + "[" + std::to_string(*index) + "]";
  if (!out.empty() && !name.empty()) out += '.';
  return out.append(name);
}

void Reading::say(std::string sentence) {
  if (!error) error = Error{ErrorKind::invalid, std::move(sentence), {}};
}

void Reading::wrong(const Place& at, const std::string& expected, const Json& found) {
  const std::string where = at.text();
  say((where.empty() ? "this" : "'" + where + "'") + " has to be " + expected + ", and is " + shown(found));
}

void Reader::end() const {
  if (reading_.unknown == Unknown::ignored || reading_.error) return;
  for (const auto& [name, value] : json_.items()) {
    if (std::ranges::find(known_, name) != known_.end()) continue;
    const std::string where = Place{&at_, name}.text();
    const auto meant = nearest_of(name, known_);
    return reading_.say(
        "there is no field '" + where + "'" +
        (meant.empty() ? std::string(": this takes none") : ": is '" + std::string(meant) + "' meant?"));
  }
}

void read_integer(Reading& reading, const Place& at, const Json& json, std::int64_t least, std::uint64_t most,
                  const std::function<void(std::uint64_t)>& take) {
  const std::string expected = least == 0 ? "a whole number that is not negative" : "a whole number";
  if (!json.is_number_integer()) return reading.wrong(at, expected, json);
  const bool negative = !json.is_number_unsigned() && json.get<std::int64_t>() < 0;
  if (negative ? json.get<std::int64_t>() < least : json.get<std::uint64_t>() > most)
    return reading.wrong(at, expected + " in bounds", json);
  take(negative ? static_cast<std::uint64_t>(json.get<std::int64_t>()) : json.get<std::uint64_t>());
}

void read_name(Reading& reading, const Place& at, const Json& json, std::span<const char* const> names,
               const std::function<void(std::size_t)>& take) {
  std::string all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = names[i];
    if (name.empty()) continue;
    if (json.is_string() && json.get_ref<const std::string&>() == name) return take(i);
    all += (all.empty() ? "" : ", ") + name;
  }
  reading.wrong(at, "one of " + all, json);
}

Bytes read_octets(Reading& reading, const Place& at, const Json& json) {
  constexpr const char* kExpected = "bytes, as hexadecimal digits";
  Bytes out;
  if (json.is_string()) {
    if (auto bytes = bytes_of_hex(json.get_ref<const std::string&>())) return std::move(*bytes);
    reading.wrong(at, kExpected, json);
  } else if (json.is_array()) {  // of the first release
    for (const Json& each : json) {
      const std::int64_t byte = each.is_number_integer() ? each.get<std::int64_t>() : -1;
      if (byte < 0 || byte > 255) return reading.wrong(at, kExpected, json), Bytes();
      out += static_cast<char>(byte);
    }
  } else {
    reading.wrong(at, kExpected, json);
  }
  return out;
}

Hash read_hash(Reading& reading, const Place& at, const Json& json) {
  Hash hash;
  const auto bytes = json.is_string() ? bytes_of_hex(json.get_ref<const std::string&>()) : std::nullopt;
  if (!bytes || bytes->size() != hash.bytes.size()) {
    reading.wrong(at, "a hash, as 64 hexadecimal digits", json);
  } else {
    std::copy(bytes->begin(), bytes->end(), hash.bytes.begin());
  }
  return hash;
}

}  // namespace tillsync::api
