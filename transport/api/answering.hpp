// Who answers what: a tier registers a handler for each line of its table (questions.hpp), and every door asks here.
//
//   api::Answering answers;
//   answers.on<api::WhereRequest>([&](const api::WhereRequest& q) -> Result<api::Reached> { ... });
//   answers.ask({}, {{"do", "where"}, {"key", "k"}}, reply);
#pragma once

#include <functional>
#include <memory>

#include "storage/model/branch_key.hpp"
#include "transport/api/questions.hpp"
#include "transport/base/caught.hpp"

namespace tillsync::api {

// Who asks. Without a key: the user of this machine, who may everything.
struct Asker {
  Key key = Key::none;
  Party party = Party::till;
  std::optional<std::vector<BranchKey>> shops{};  // of others: what they may ask about, and nothing else
  std::string tenant{};                           // an operator key's
};

using JsonReply = std::function<void(Result<Json>)>;
template <class A>
using Reply = std::function<void(Result<A>)>;

class Answering {
 public:
  // A handler that replies by itself, once, now or later.
  template <class R>
  void on_later(std::function<void(const Asker&, R, Reply<AnswerTo<R>>)> handler) {
    handlers_[std::string(LineOf<R>::kName)] = [handler = std::move(handler)](const Asker& asker, const Json& question,
                                                                              JsonReply reply) {
      const OctetsAs octets = question.contains("api") ? OctetsAs::text : OctetsAs::numbers;
      auto request = from_json<R>(without_envelope(question), Unknown::refused);
      if (!request) return reply(tl::unexpected(std::move(request.error())));
      handler(asker, std::move(*request), [reply, octets](Result<AnswerTo<R>> answer) {
        reply(caught([&]() -> Result<Json> {
          if (!answer) return tl::unexpected(std::move(answer.error()));
          return write(*answer, octets);
        }));
      });
    };
  }
  template <class R>
  void on(std::function<Result<AnswerTo<R>>(const R&)> handler) {
    on_later<R>([handler = std::move(handler)](const Asker&, R request, const Reply<AnswerTo<R>>& reply) {
      reply(handler(request));
    });
  }

  // Whatever a handler throws is answered as an error; and a question is answered once.
  void ask(const Asker& asker, const Json& question, JsonReply reply) const;

  // Called once all are registered. Those that only read have to be there at least: who looks at a till that does not
  // run has no others.
  template <class Table>
  void complete(const char* tier, Does most = Does::writes) {
    tier_ = tier;
    Table::each([this](auto line) { lines_.push_back({line.kName, line.kWho, line.kReads}); });
    check_complete(most);
  }

 private:
  using Handler = std::function<void(const Asker&, const Json&, JsonReply)>;
  static Json without_envelope(Json question);  // the question's own fields
  void check_complete(Does most) const;
  Result<void> may_ask(const Asker& asker, const std::string& what) const;

  std::string tier_{};
  struct Line {
    std::string_view name;
    Who who;
    bool reads;
  };
  std::vector<Line> lines_;
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace tillsync::api
