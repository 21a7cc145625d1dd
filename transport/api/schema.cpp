#include "transport/api/schema.hpp"

#include "transport/api/errors.hpp"

namespace tillsync::api {

namespace {

struct ErrorShape {  // errors.hpp
  std::string kind, message;
  std::optional<std::string> detail;
  template <class A>
  void describe(A& a) {
    a("kind", kind);
    a("message", message);
    a("detail", detail);
  }
};

Json error_schema() {
  Json out = schema<ErrorShape>(Says::answer);
  Json kinds = Json::array();
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::closed); ++kind)
    kinds.push_back(name_of(static_cast<ErrorKind>(kind)));
  out["properties"]["kind"]["enum"] = kinds;
  return out;
}

// One of all questions, by its word.
template <class Table>
Json questions() {
  Json out = Json::object();
  Table::each([&](auto line) {
    using Line = decltype(line);
    out[std::string(Line::kName)] = {{"asks", schema<typename Line::Request>(Says::question)},
                                     {"answers", schema<typename Line::Answer>(Says::answer)}};
  });
  return out;
}

Json titled(Json schema, const char* title) {
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = title;
  return schema;
}

}  // namespace

std::map<std::string, Json> published_schemas() {
  return {
      {"draft", titled(schema<OpDraft>(Says::question), "An op as a program asks a till to record it")},
      {"op", titled(schema<OpView>(Says::answer), "An op as a till or a cloud holds it, exports it and delivers it")},
      {"delivery", titled(schema<Delivered>(Says::answer), "What a webhook is sent")},
      {"receipt", titled(schema<Receipt>(Says::answer), "The answer to an op that was recorded")},
      {"row", titled(schema<RowView>(Says::answer), "A row of the cloud's, as a till has it")},
      {"conflict", titled(schema<ConflictView>(Says::answer), "A disagreement that people may have to settle")},
      {"status", titled(schema<StatusAnswer>(Says::answer), "What a till knows about itself")},
      {"cloud-status", titled(schema<CloudStatus>(Says::answer), "What a cloud knows about itself")},
      {"lease", titled(schema<LeaseAnswer>(Says::answer), "Which till hosts the branch, and why")},
      {"queue", titled(schema<QueuePage>(Says::answer), "What has not reached the cloud yet")},
      {"availability", titled(schema<AvailabilityView>(Says::answer), "Whether there is something left to sell")},
      {"roster", titled(schema<RosterView>(Says::answer), "Who belongs to a branch")},
      {"fleet", titled(schema<std::vector<FleetBranch>>(Says::answer), "The branches of a cloud, worst first")},
      {"webhook", titled(schema<WebhookView>(Says::answer), "Where a tenant's webhook stands")},
      {"error", titled(error_schema(), "Why something was not done")},
      {"till-questions",
       {{"title", "What can be asked of a till on its control socket"}, {"questions", questions<TillQuestions>()}}},
      {"cloud-questions",
       {{"title", "What can be asked of a cloud on its control socket"}, {"questions", questions<CloudQuestions>()}}}};
}

}  // namespace tillsync::api
