// JSON Schema (draft 2020-12) of what is answered and asked, from the same lists of fields (reflect.hpp).
#pragma once

#include "transport/api/questions.hpp"

namespace tillsync::api {

// In an answer every field is there that has no std::optional; a question needs those that say so, and knows no others.
enum class Says { answer, question };

template <class T>
Json schema(Says says);

class SchemaWriter {
 public:
  static constexpr bool kReads = false;
  explicit SchemaWriter(Says says) : says_(says) {}
  template <class T>
  void operator()(const char* name, const T&, Need need = Need::may_be_absent) {
    if constexpr (kIs<T, std::optional>) {
      properties[name] = schema<typename T::value_type>(says_);
    } else {
      properties[name] = schema<T>(says_);
      if (says_ == Says::answer || need == Need::needed) required.push_back(name);
    }
  }
  Json properties = Json::object(), required = Json::array();

 private:
  Says says_;
};

template <class T>
Json schema(Says says) {
  if constexpr (std::same_as<T, Json>) {
    return Json::object();
  } else if constexpr (std::same_as<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::integral<T> || StrongNumber<T>) {
    Json out{{"type", "integer"}};
    if constexpr (std::unsigned_integral<T> || StrongNumber<T>) out["minimum"] = 0;
    return out;
  } else if constexpr (std::same_as<T, AnyText>) {
    return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
  } else if constexpr (Named<T>) {
    Json names = Json::array();
    for (const std::string name : Names<T>::kAll) {
      if (!name.empty()) names.push_back(name);
    }
    return {{"type", "string"}, {"enum", names}};
  } else if constexpr (kIs<T, OrNull>) {
    Json out = schema<typename T::value_type>(says);
    out["type"] = Json::array({out["type"], "null"});
    return out;
  } else if constexpr (kIs<T, std::vector>) {
    return {{"type", "array"}, {"items", schema<typename T::value_type>(says)}};
  } else if constexpr (kIs<T, std::map>) {
    return {{"type", "object"}, {"additionalProperties", schema<typename T::mapped_type>(says)}};
  } else if constexpr (Described<T>) {
    SchemaWriter writer(says);
    T value{};
    each_field(writer, value);
    Json out{{"type", "object"}, {"properties", writer.properties}};
    if (!writer.required.empty()) out["required"] = writer.required;
    if (says == Says::question) out["additionalProperties"] = false;
    return out;
  } else {
    return {{"type", "string"}};  // text, names, hashes, bytes
  }
}

// The published ones: file name without .json -> the schema.
std::map<std::string, Json> published_schemas();

}  // namespace tillsync::api
