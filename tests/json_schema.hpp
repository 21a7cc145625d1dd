// As much of JSON Schema as docs/schema uses: type, properties, required, items, enum, minimum, additionalProperties.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace tillsync::test {

// What is wrong with a value, and where; nothing when it fits. A field that an object's schema does not list is wrong
// here, also where the schema lets it be: what is really sent is to be listed.
inline std::optional<std::string> misfit(const nlohmann::json& schema, const nlohmann::json& value,
                                         const std::string& at = "it") {
  if (schema.empty()) return std::nullopt;  // anything
  const auto is = [&](const std::string& type) {
    return type == "object"    ? value.is_object()
           : type == "array"   ? value.is_array()
           : type == "string"  ? value.is_string()
           : type == "integer" ? value.is_number_integer()
           : type == "boolean" ? value.is_boolean()
                               : type == "null" && value.is_null();
  };
  bool fits = false;
  for (const auto& type : schema["type"].is_array() ? schema["type"] : nlohmann::json::array({schema["type"]}))
    fits = fits || is(type);
  if (!fits) return at + " is no " + schema["type"].dump() + ": " + value.dump();
  if (value.is_null()) return std::nullopt;
  if (schema.contains("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    return at + " is none of " + schema["enum"].dump() + ": " + value.dump();
  if (schema.contains("minimum") && value < schema["minimum"]) return at + " is too small: " + value.dump();
  for (const auto& name : schema.value("required", nlohmann::json::array())) {
    if (!value.contains(name.get<std::string>())) return at + " lacks " + name.dump();
  }
  for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
    if (auto why = misfit(schema["items"], value[i], at + "[" + std::to_string(i) + "]")) return why;
  }
  if (!value.is_object()) return std::nullopt;
  const auto properties = schema.value("properties", nlohmann::json::object());
  const auto others = schema.value("additionalProperties", nlohmann::json(false));
  for (const auto& [name, each] : value.items()) {
    if (!properties.contains(name) && others == false) return at + " has " + name + ", which is not listed";
    if (auto why = misfit(properties.contains(name) ? properties[name] : others, each, at + "." + name)) return why;
  }
  return std::nullopt;
}

}  // namespace tillsync::test
