#include "transport/api/in_message.hpp"

#include <charconv>

#include "transport/api/errors.hpp"

namespace tillsync::api {

namespace {

constexpr std::string_view kThisRelease = "/2";
constexpr const char* kConflicts = "conflicts";  // which messages carry page by page

}  // namespace

Question in_message(const std::string& name, std::uint64_t from) {
  const bool pages = name == "conflicts_page";
  return {1, pages ? kConflicts : name, (pages ? std::to_string(from) : "") + std::string(kThisRelease)};
}

Json question_of(const Question& message) {
  Json out{{"do", message.what}};
  std::string_view argument = message.argument;
  if (argument.ends_with(kThisRelease)) {
    argument.remove_suffix(kThisRelease.size());
    out["api"] = 2;
  }
  if (message.what != kConflicts) return out;
  out["do"] = "conflicts_page";
  std::uint64_t from = 0;
  std::from_chars(argument.data(), argument.data() + argument.size(), from);
  out["from"] = from;
  return out;
}

std::string answer_text(const Result<Json>& answer) {
  if (answer) return json_text(*answer);
  Json out = to_json(answer.error());
  out["error"] = answer.error().message;
  return json_text(out);
}

Result<Json> heard(const std::string& text) {
  auto json = parse_json(text);
  if (!json || !json->is_object())
    return fail(ErrorKind::invalid, "what came back is not understood: is it another release?");
  if (!json->contains("error")) return json;
  if (json->contains("kind")) return tl::unexpected(error_from(*json));
  const std::string sentence = text_of(*json, "error");
  return fail(ErrorKind::refused,
              sentence.empty() ? "what came back is not understood: is it another release?" : sentence);
}

}  // namespace tillsync::api
