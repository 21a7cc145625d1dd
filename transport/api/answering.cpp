#include "transport/api/answering.hpp"

#include <cstdio>
#include <cstdlib>

namespace tillsync::api {

Json Answering::without_envelope(Json question) {
  for (const char* name : {"id", "do", "api"}) question.erase(name);
  return question;
}

void Answering::check_complete(Does most) const {
  for (const auto& [name, who, reads] : lines_) {
    if (handlers_.contains(name) || (!reads && most == Does::reads)) continue;
    std::fprintf(stderr, "nobody answers the question '%s'\n", std::string(name).c_str());
    std::abort();
  }
}

Result<void> Answering::may_ask(const Asker& asker, const std::string& what) const {
  std::vector<std::string_view> open;
  for (const auto& [name, who, reads] : lines_) {
    const bool theirs = asker.key == Key::none || (asker.key == who.key && may(asker.party, who.right));
    if (theirs && name == what) return {};
    if (theirs) open.push_back(name);
  }
  if (asker.key != Key::none) {
    std::string all;
    for (const std::string_view name : open) all += (all.empty() ? "" : ", ") + std::string(name);
    return fail(ErrorKind::refused, "a " + tier_ + " tells a key with the role " + name_of(asker.party) +
                                        (all.empty() ? " nothing" : " of " + all + ", and of nothing else"));
  }
  return fail(ErrorKind::invalid, "a " + tier_ + " does not know the question '" + what + "': is '" +
                                      std::string(nearest_of(what, open)) + "' meant?");
}

void Answering::ask(const Asker& asker, const Json& question, JsonReply reply) const {
  const auto once = std::make_shared<JsonReply>(std::move(reply));
  const JsonReply answer = [once](Result<Json> result) {
    if (const JsonReply unanswered = std::exchange(*once, nullptr)) unanswered(std::move(result));
  };
  const auto handled = caught([&]() -> Result<void> {
    const std::string what = text_of(question, "do");
    if (auto allowed = may_ask(asker, what); !allowed) return allowed;
    const auto handler = handlers_.find(what);
    if (handler == handlers_.end())
      return fail(ErrorKind::refused, "this can't be asked of a " + tier_ + " that does not run");
    return handler->second(asker, question, answer), Result<void>();
  });
  if (!handled) answer(tl::unexpected(handled.error()));
}

}  // namespace tillsync::api
