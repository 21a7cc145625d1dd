// A type lists its fields once. Its JSON, how that is read, and its JSON Schema (schema.hpp) all come from that list.
//
//   struct WhereRequest {
//     std::string key;
//     template <class A> void describe(A& a) { a("key", key, kNeeded); }
//   };
//
// Types of the public vocabulary are described beside (vocabulary.hpp): template <class A> void describe(A&, Status&).
// A std::optional that is empty is left out; an empty OrNull is null.
#pragma once

#include <array>
#include <concepts>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tillsync/hash.hpp>
#include <tillsync/ids.hpp>
#include <tillsync/result.hpp>
#include <vector>

#include "transport/api/json_values.hpp"
#include "transport/api/nearest.hpp"

namespace tillsync::api {

enum class Need { may_be_absent, needed };
constexpr Need kNeeded = Need::needed;

template <class T>
struct OrNull : std::optional<T> {
  OrNull() = default;
  OrNull(T value) : std::optional<T>(std::move(value)) {}
  OrNull(std::optional<T> value) : std::optional<T>(std::move(value)) {}
};

// Rosters, certificates: hexadecimal text. Askers of the first release sent and read arrays of numbers.
struct Octets {
  Bytes bytes;
};

// Text for every asker: it always was.
struct HexBytes {
  Bytes bytes;
};

// The free-form fields of a draft: values of any type are taken as text.
struct AnyText {
  std::map<std::string, std::string>& fields;
};

// The names of an enum's values, in the order of their numbers: Names<Level>::kAll. An empty one is nobody's.
template <class T>
struct Names;

// Lists fields, and does nothing with them: to see which types are described.
struct Probe {
  static constexpr bool kReads = false;
  template <class T>
  void operator()(const char*, T&&, Need = Need::may_be_absent) {}
};

template <class T>
concept DescribesItself = requires(T& value, Probe& probe) {
  value.describe(probe);
};
template <class T>
concept DescribedBeside = requires(T& value, Probe& probe) {
  describe(probe, value);
};
template <class T>
concept Described = DescribesItself<T> || DescribedBeside<T>;
template <class T>
concept Named = requires {
  Names<T>::kAll;
};
template <class T>
concept StrongNumber = requires(T value) {
  { value.value } -> std::same_as<std::uint64_t&>;
};
template <class T>
concept StrongName = requires(T value) {
  { value.text } -> std::same_as<std::string&>;
};

template <class T, template <class...> class Of>
constexpr bool kIs = false;
template <class... T, template <class...> class Of>
constexpr bool kIs<Of<T...>, Of> = true;

template <class A, class T>
void each_field(A& a, T& value) {
  if constexpr (DescribesItself<T>) {
    value.describe(a);
  } else {
    describe(a, value);
  }
}

enum class OctetsAs { text, numbers };

template <class T>
Json write(const T& value, OctetsAs octets = OctetsAs::text);

class Writer {
 public:
  static constexpr bool kReads = false;
  explicit Writer(OctetsAs octets) : octets_(octets) {}
  template <class T>
  void operator()(const char* name, const T& value, Need = Need::may_be_absent) {
    if constexpr (kIs<T, std::optional>) {
      if (value) out[name] = write(*value, octets_);
    } else {
      out[name] = write(value, octets_);
    }
  }
  Json out = Json::object();

 private:
  OctetsAs octets_;
};

template <class T>
Json write(const T& value, OctetsAs octets) {
  if constexpr (std::same_as<T, bool> || std::integral<T> || std::same_as<T, std::string> || std::same_as<T, Json>) {
    return Json(value);
  } else if constexpr (std::same_as<T, Octets>) {
    if (octets == OctetsAs::text) return hex(value.bytes);
    Json out = Json::array();
    for (const unsigned char byte : value.bytes) out.push_back(byte);
    return out;
  } else if constexpr (std::same_as<T, HexBytes>) {
    return hex(value.bytes);
  } else if constexpr (std::same_as<T, AnyText>) {
    return Json(value.fields);
  } else if constexpr (std::same_as<T, Hash>) {
    return value.hex();
  } else if constexpr (Named<T>) {
    return Names<T>::kAll.at(static_cast<std::size_t>(value));
  } else if constexpr (StrongNumber<T>) {
    return value.value;
  } else if constexpr (StrongName<T>) {
    return value.text;
  } else if constexpr (kIs<T, OrNull>) {
    return value ? write(*value, octets) : Json();
  } else if constexpr (kIs<T, std::vector>) {
    Json out = Json::array();
    for (const auto& each : value) out.push_back(write(each, octets));
    return out;
  } else if constexpr (kIs<T, std::map>) {
    Json out = Json::object();
    for (const auto& [name, each] : value) out[name] = write(each, octets);
    return out;
  } else {
    static_assert(Described<T>, "a type lists its fields: reflect.hpp");
    Writer writer(octets);
    each_field(writer, const_cast<T&>(value));  // which lists them for reading as well
    return std::move(writer.out);
  }
}

// Questions name what they want: a field that is not known is a mistake. An answer may be of a newer release.
enum class Unknown { refused, ignored };

// Where a value stands: "op.lines[2].milli".
struct Place {
  const Place* in = nullptr;
  std::string_view name;
  std::optional<std::size_t> index{};
  std::string text() const;
};

struct Reading {
  Unknown unknown;
  std::optional<Error> error{};
  // The first mistake counts.
  void wrong(const Place& at, const std::string& expected, const Json& found);
  void say(std::string sentence);
};

template <class T>
void read(Reading& reading, const Place& at, const Json& json, T& value);

class Reader {
 public:
  static constexpr bool kReads = true;
  Reader(Reading& reading, const Place& at, const Json& json) : reading_(reading), at_(at), json_(json) {}
  template <class T>
  void operator()(const char* name, T&& value, Need need = Need::may_be_absent) {
    known_.push_back(name);
    const auto found = json_.find(name);
    if (found != json_.end()) {
      read(reading_, Place{&at_, name}, *found, value);
    } else if (need == Need::needed) {
      reading_.say("'" + Place{&at_, name}.text() + "' is missing: it is needed");
    }
  }
  void end() const;  // whether each field is known

 private:
  Reading& reading_;
  const Place& at_;
  const Json& json_;
  std::vector<std::string_view> known_;
};

// What every value is read by: whole numbers in bounds, texts, flags; the rest is made of those.
void read_integer(Reading& reading, const Place& at, const Json& json, std::int64_t least, std::uint64_t most,
                  const std::function<void(std::uint64_t)>& take);
void read_name(Reading& reading, const Place& at, const Json& json, std::span<const char* const> names,
               const std::function<void(std::size_t)>& take);
Bytes read_octets(Reading& reading, const Place& at, const Json& json);
Hash read_hash(Reading& reading, const Place& at, const Json& json);

template <class T>
void read(Reading& reading, const Place& at, const Json& json, T& value) {
  if (reading.error) return;
  if (json.is_null() && reading.unknown == Unknown::ignored && !kIs<T, OrNull> && !std::same_as<T, Json>) return;
  if constexpr (std::same_as<T, Json>) {
    value = json;
  } else if constexpr (std::same_as<T, bool>) {
    json.is_boolean() ? void(value = json.get<bool>()) : reading.wrong(at, "true or false", json);
  } else if constexpr (std::integral<T>) {
    read_integer(reading, at, json, std::is_signed_v<T> ? std::numeric_limits<T>::min() : 0,
                 static_cast<std::uint64_t>(std::numeric_limits<T>::max()),
                 [&](std::uint64_t number) { value = static_cast<T>(number); });
  } else if constexpr (std::same_as<T, std::string>) {
    json.is_string() ? void(value = json.get<std::string>()) : reading.wrong(at, "a text", json);
  } else if constexpr (std::same_as<T, Octets> || std::same_as<T, HexBytes>) {
    value.bytes = read_octets(reading, at, json);
  } else if constexpr (std::same_as<T, AnyText>) {
    if (!json.is_object()) return reading.wrong(at, "an object", json);
    for (const auto& [name, each] : json.items())
      value.fields[name] = each.is_string() ? each.template get<std::string>() : json_text(each);
  } else if constexpr (std::same_as<T, Hash>) {
    value = read_hash(reading, at, json);
  } else if constexpr (Named<T>) {
    read_name(reading, at, json, Names<T>::kAll, [&](std::size_t number) { value = static_cast<T>(number); });
  } else if constexpr (StrongNumber<T>) {
    read(reading, at, json, value.value);
  } else if constexpr (StrongName<T>) {
    read(reading, at, json, value.text);
  } else if constexpr (kIs<T, OrNull> || kIs<T, std::optional>) {
    if (json.is_null()) return value.reset();
    read(reading, at, json, value.emplace());
  } else if constexpr (kIs<T, std::vector>) {
    if (!json.is_array()) return reading.wrong(at, "an array", json);
    for (std::size_t i = 0; i < json.size(); ++i) read(reading, Place{&at, {}, i}, json[i], value.emplace_back());
  } else if constexpr (kIs<T, std::map>) {
    if (!json.is_object()) return reading.wrong(at, "an object", json);
    for (const auto& [name, each] : json.items()) read(reading, Place{&at, name}, each, value[name]);
  } else {
    static_assert(Described<T>, "a type lists its fields: reflect.hpp");
    if (!json.is_object()) return reading.wrong(at, "an object", json);
    Reader reader(reading, at, json);
    each_field(reader, value);
    reader.end();
  }
}

// Errors: invalid, in one sentence that names the field.
template <class T>
Result<T> from_json(const Json& json, Unknown unknown = Unknown::ignored) {
  Reading reading{unknown};
  T value{};
  read(reading, Place{}, json, value);
  if (reading.error) return tl::unexpected(std::move(*reading.error));
  return value;
}

}  // namespace tillsync::api
