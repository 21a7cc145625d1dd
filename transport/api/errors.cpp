#include "transport/api/errors.hpp"

#include <array>

namespace tillsync {

namespace {

constexpr std::array<std::pair<ErrorKind, std::string_view>, 12> kKinds = {{{ErrorKind::invalid, "invalid"},
                                                                            {ErrorKind::duplicate_key, "duplicate_key"},
                                                                            {ErrorKind::card_number, "card_number"},
                                                                            {ErrorKind::not_found, "not_found"},
                                                                            {ErrorKind::busy, "busy"},
                                                                            {ErrorKind::disk_full, "disk_full"},
                                                                            {ErrorKind::io, "io"},
                                                                            {ErrorKind::damaged, "damaged"},
                                                                            {ErrorKind::locked, "locked"},
                                                                            {ErrorKind::refused, "refused"},
                                                                            {ErrorKind::timed_out, "timed_out"},
                                                                            {ErrorKind::closed, "closed"}}};
static_assert(kKinds.size() == static_cast<std::size_t>(ErrorKind::closed) + 1, "each kind of error has a name");

}  // namespace

std::string_view name_of(ErrorKind kind) {
  for (const auto& [each, name] : kKinds) {
    if (each == kind) return name;
  }
  return "refused";
}

std::optional<ErrorKind> error_kind_named(std::string_view name) {
  for (const auto& [kind, each] : kKinds) {
    if (each == name) return kind;
  }
  return std::nullopt;
}

Json to_json(const Error& error, Detail detail) {
  Json out{{"kind", name_of(error.kind)}, {"message", error.message}};
  if (detail == Detail::shown && !error.detail.empty()) out["detail"] = error.detail;
  return out;
}

Error error_from(const Json& json) {
  const std::string message = text_of(json, "message");
  return {error_kind_named(text_of(json, "kind")).value_or(ErrorKind::refused),
          message.empty() ? "it was refused, and nothing was said of why" : message, text_of(json, "detail")};
}

}  // namespace tillsync
