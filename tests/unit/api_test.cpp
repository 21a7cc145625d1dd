// What a till and a cloud can be asked: the schemas that are published, what is really sent, and what they make of
// questions that are wrong, or of the first release.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "storage/base/pack.hpp"
#include "tests/json_schema.hpp"
#include "tests/scratch.hpp"
#include "tests/unit/keys.hpp"
#include "tests/unit/rewrite.hpp"
#include "transport/api/errors.hpp"
#include "transport/api/in_message.hpp"
#include "transport/api/schema.hpp"
#include "transport/api/views.hpp"
#include "transport/cloud/cloud_control.hpp"
#include "transport/till/stopped_till.hpp"
#include "transport/till/till_control.hpp"

using namespace tillsync;
using namespace tillsync::test;

namespace {

Result<Json> ask(asio::io_context& io, const ControlHandler& handler, const Json& question) {
  std::promise<Result<Json>> said;
  asio::post(io, [&] { handler(question, [&](Result<Json> answer) { said.set_value(std::move(answer)); }); });
  return said.get_future().get();
}

class LoneTill {
 public:
  explicit LoneTill(const std::string& folder)
      : till_(TillRuntime::open({folder, "main", "till-1", false, true, {}}, [](const Notice&) {}).value()) {}
  Result<Json> ask(const Json& question) { return ::ask(till_->io(), till_control(*till_), question); }
  void sell(const std::string& key) {
    OpDraft sale{.kind = OpKind::sale, .key = key, .cashier = "ann", .document = {}};
    sale.document.lines.push_back({"bread", Quantity::units(2), 350, "Bread"});
    REQUIRE(ask(api::question_of(api::RecordRequest{{}, std::move(sale)})));
  }

 private:
  std::unique_ptr<TillRuntime> till_;
};

class LoneCloud {
 public:
  LoneCloud() {
    CloudRuntime::Options options;
    options.folder = folder_ / "cloud";
    options.network = false;
    cloud_ = CloudRuntime::open(options, [](const Notice&) {}).value();
    const SecretKey tenant = key_number(1);
    roster.tenant = "Bakery";
    roster.keys = TenantKeys::founded(tenant.public_key(), tenant.public_key());
    roster.branch = BranchId{"main"};
    roster.add({TillId{"cloud"}, Binary(cloud_->key().view()), Role::cloud, 0});
    roster.sign(tenant);
  }
  Result<Json> ask(const Json& question) { return ::ask(cloud_->io(), cloud_control(*cloud_), question); }
  Result<Json> ask_as(api::Key key, Party party, const Json& question) {
    return ::ask(
        cloud_->io(),
        [&](const Json& q, ControlReply reply) {
          answers_of(*cloud_)->ask({key, party, {}, {}}, q, std::move(reply));
        },
        question);
  }
  Roster roster;

 private:
  Folder folder_;
  std::unique_ptr<CloudRuntime> cloud_;
};

std::string text_of_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Asks everything of a table once, each with nothing but its defaults.
template <class Table, class Ask>
void ask_all(const char* published, Ask&& ask) {
  const auto schemas = api::published_schemas();
  Table::each([&](auto line) {
    using Line = decltype(line);
    const std::string name(Line::kName);
    CAPTURE(name);
    Json question = api::write(typename Line::Request{});
    const Json& shapes = schemas.at(published)["questions"][name];
    if (const auto why = misfit(shapes["asks"], question)) FAIL_CHECK(*why);
    question["do"] = name, question["api"] = api::kRelease;
    if (name == "wait") question["limit_ms"] = 0;
    const Result<Json> answer = ask(question);
    const auto why = answer ? misfit(shapes["answers"], *answer)
                            : misfit(schemas.at("error"), to_json(answer.error(), Detail::shown));
    if (why) FAIL_CHECK(*why);
    if (!answer) CHECK_MESSAGE(answer.error().message.size() > 10, answer.error().message);
  });
}

std::string sentence(const Result<Json>& answer) {
  return answer ? "answered: " + json_text(*answer) : answer.error().message;
}

}  // namespace

TEST_CASE("the published schemas are what the code says") {
  for (const auto& [name, schema] : api::published_schemas()) {
    const std::string path = std::string(TILLSYNC_SOURCE) + "/docs/schema/" + name + ".json";
    const std::string text = json_text(schema, 2) + "\n";
    if (rewrite_scripts()) std::ofstream(path) << text;
    CHECK_MESSAGE(text_of_file(path) == text, path << " is of another time: unit_tests --rewrite writes it anew");
  }
}

TEST_CASE("what a till answers to each question fits its schema, while it runs and when it is only looked at") {
  const Folder folder;
  {
    LoneTill till(folder / "till-1");
    till.sell("a"), till.sell("b");
    REQUIRE(till.ask({{"do", "edit"}, {"row", "bread"}, {"changes", {{"price", 350}}}, {"key", "e"}}));
    ask_all<api::TillQuestions>("till-questions", [&](const Json& q) { return till.ask(q); });
    const auto queue = till.ask({{"do", "queue"}});
    REQUIRE(queue);
    CHECK_FALSE(misfit(api::published_schemas().at("queue"), *queue));
    CHECK(queue->at("ops").size() == 3);
    CHECK(queue->at("ops")[0]["lines"][0]["milli"] == 2000);
  }
  const auto looked = StoppedTill::look(folder / "till-1");
  REQUIRE(looked);
  ask_all<api::TillQuestions>("till-questions", [&](const Json& q) { return (*looked)->ask(q); });
  const auto status = (*looked)->ask({{"do", "status"}});
  REQUIRE(status);
  CHECK(status->at("running") == false);
  CHECK(status->at("recorded") == 3);
  CHECK(status->at("unsent") == 3);
  CHECK((*looked)->ask({{"do", "stock"}}) == Json{{"bread", -4000}});
  CHECK((*looked)->ask({{"do", "where"}, {"key", "a"}}) == Json{{"level", "own_disk"}});
  CHECK((*looked)->ask({{"do", "record"}}).error().message.find("does not run") != std::string::npos);
}

TEST_CASE("what a cloud answers to each question fits its schema, with a branch and without one") {
  LoneCloud cloud;
  ask_all<api::CloudQuestions>("cloud-questions", [&](const Json& q) { return cloud.ask(q); });
  const auto taken = cloud.ask(api::question_of(api::TakeRosterRequest{{cloud.roster.encoded()}}));
  REQUIRE_MESSAGE(taken, sentence(taken));
  REQUIRE(cloud.ask({{"do", "webhook_set"}, {"url", "https://erp.example.org/"}}));
  REQUIRE(cloud.ask({{"do", "operator_add"}, {"role", "support"}, {"name", "anna"}}));
  Json row = {{"id", "bread"}, {"fields", {{"price", 350}}}};
  CHECK(cloud.ask({{"do", "put_rows"}, {"rows", {row}}}) == Json{{"changed", 1}});
  ask_all<api::CloudQuestions>("cloud-questions", [&](const Json& q) { return cloud.ask(q); });
}

TEST_CASE("a conflict, an op and a delivery fit their schemas") {
  const auto schemas = api::published_schemas();
  Conflict conflict;
  conflict.id = "1f", conflict.kind = "below_zero", conflict.subject = "bread";
  conflict.sides.resize(2), conflict.history.resize(1);
  conflict.sides[1].was = Binary(pack(std::string("Roll")));
  const auto stock = [](const std::string&) { return std::optional<std::int64_t>(-1000); };
  const auto view = api::view_of(conflict, stock);
  CHECK_FALSE(view.choices.empty());
  CHECK(misfit(schemas.at("conflict"), api::write(view)).value_or("") == "");
  const auto back = api::conflict_of(api::from_json<api::ConflictView>(api::write(view)).value());
  REQUIRE(back);
  CHECK(back->stock.at("bread") == -1000);
  api::Delivered delivery{
      "aa", "main", {api::view_of(CloudOp{{TillId{"till-1"}, Incarnation{7}}, Seq{3}, "k", "no op", {}})}};
  CHECK(delivery.ops[0].unreadable == true);
  CHECK(misfit(schemas.at("delivery"), api::write(delivery)).value_or("") == "");
  CHECK(misfit(schemas.at("op"), {{"branch", 5}}).has_value());
}

TEST_CASE("a question that is wrong gets one sentence that names what is wrong with it") {
  const Folder folder;
  LoneTill till(folder / "till-1");
  const auto said = [&](const Json& question) { return sentence(till.ask(question)); };
  CHECK(said({{"do", "stauts"}}) == "a till does not know the question 'stauts': is 'status' meant?");
  CHECK(said({{"do", 5}}).find("does not know the question ''") != std::string::npos);
  CHECK(said({{"do", "queue"}, {"limit", "many"}}) ==
        "'limit' has to be a whole number that is not negative, and is \"many\"");
  CHECK(said({{"do", "queue"}, {"limit", -1}}).find("'limit' has to be") == 0);
  CHECK(said({{"do", "queue"}, {"limti", 5}}) == "there is no field 'limti': is 'limit' meant?");
  CHECK(said({{"do", "lease"}, {"x", 5}}) == "there is no field 'x': this takes none");
  CHECK(said({{"do", "record"}}) == "'op' is missing: it is needed");
  CHECK(said({{"do", "record"}, {"op", {{"lines", {{{"sku", "a"}}, {{"milli", 5}}}}}}}) ==
        "'op.lines[1].sku' is missing: it is needed");
  CHECK(said({{"do", "record"}, {"op", {{"lines", {{{"sku", "a"}, {"milli", 2.5}}}}}}}) ==
        "'op.lines[0].milli' has to be a whole number, and is 2.5");
  CHECK(said({{"do", "record"}, {"op", {{"kind", "sail"}}}}).find("'op.kind' has to be one of sale, refund") == 0);
  CHECK(said({{"do", "record"}, {"op", {{"linse", Json::array()}}}}) ==
        "there is no field 'op.linse': is 'lines' meant?");
  CHECK(said({{"do", "wait"}, {"level", "moon"}}) ==
        "'level' has to be one of own_disk, two_disks, host, cloud, and is \"moon\"");
  CHECK(said({{"do", "take_roster"}, {"roster", "zz"}}).find("'roster' has to be bytes") == 0);
}

TEST_CASE("each kind of error has a name, and is read back as what it was") {
  for (int i = 0; i <= static_cast<int>(ErrorKind::closed); ++i) {
    const Error error{static_cast<ErrorKind>(i), "what to do", "why"};
    CHECK(error_kind_named(name_of(error.kind)) == error.kind);
    const Error back = error_from(to_json(error, Detail::shown));
    CHECK(back.kind == error.kind);
    CHECK(back.message == error.message);
    CHECK(back.detail == "why");
    CHECK_FALSE(to_json(error).contains("detail"));
  }
  CHECK(error_from({{"kind", "of tomorrow"}, {"message", "x"}}).kind == ErrorKind::refused);
  CHECK_FALSE(error_from(Json()).message.empty());
}

TEST_CASE("askers of the first release are understood, and find in the answer what they read") {
  LoneCloud cloud;
  const Bytes encoded = cloud.roster.encoded();
  Json numbers = Json::array();
  for (const unsigned char byte : encoded) numbers.push_back(byte);
  CHECK(cloud.ask({{"id", 1}, {"do", "take_roster"}, {"roster", numbers}}).value()["same"] == true);
  CHECK(cloud.ask({{"id", 2}, {"do", "roster_held"}, {"branch", "main"}}).value()["roster"] == numbers);
  CHECK(cloud.ask({{"do", "roster_held"}, {"api", 2}}).value()["roster"] == hex(encoded));
  const Folder folder;
  LoneTill till(folder / "till-1");
  const Json op = {
      {"kind", "sale"},  {"key", "k"},     {"cashier", ""}, {"invoice", ""},        {"currency", "EUR"},
      {"reference", ""}, {"customer", ""}, {"note", ""},    {"fields", {{"n", 5}}}, {"lines", {{{"sku", "x"}}}}};
  CHECK(till.ask({{"id", 1}, {"do", "record"}, {"branch", "main"}, {"op", op}}));
  CHECK(till.ask({{"do", "conflicts"}, {"branch", ""}}) == Json::array());
  CHECK(till.ask({{"do", "ops"}}).value()["ops"][0]["fields"]["n"] == "5");

  // From afar: by message 50, with the number of conflicts to leave out as a text.
  CHECK(api::question_of(Question{1, "lease", ""}) == Json{{"do", "lease"}});
  CHECK(api::question_of(Question{1, "conflicts", "12"}) == Json{{"do", "conflicts_page"}, {"from", 12}});
  CHECK(api::question_of(Question{1, "conflicts", "nonsense"})["from"] == 0);
  CHECK(api::question_of(api::in_message("conflicts_page", 500)) ==
        Json{{"do", "conflicts_page"}, {"from", 500}, {"api", 2}});
  CHECK(api::in_message("conflicts_page", 500).argument == "500/2");  // the first release reads the number
  const Json refusal = parse_json(api::answer_text(fail(ErrorKind::busy, "come back"))).value();
  CHECK(refusal == Json{{"kind", "busy"}, {"message", "come back"}, {"error", "come back"}});
  CHECK(api::heard(json_text(refusal)).error().kind == ErrorKind::busy);
  CHECK(api::heard(R"({"error":"a sentence"})").error().message == "a sentence");
}

TEST_CASE("a key may ask what is open to keys of its kind and its role has the right to, and nothing else") {
  LoneCloud cloud;
  const auto person = [&](Party party, const char* what) {
    return cloud.ask_as(api::Key::in_roster, party, {{"do", what}});
  };
  CHECK(person(Party::manager, "conflicts_page"));
  for (const char* what : {"status", "fleet", "webhook_show", "resolve", "operators", "backup", "nonsense"}) {
    CHECK(sentence(person(Party::support, what)) ==
          "a cloud tells a key with the role support of conflicts_page, and of nothing else");
  }
  CHECK(cloud.ask_as(api::Key::of_operator, Party::headquarters, {{"do", "fleet"}}));
  for (const char* what : {"conflicts", "conflicts_page", "status", "put_rows", "take_roster"})
    CHECK_FALSE(cloud.ask_as(api::Key::of_operator, Party::headquarters, {{"do", what}}));
  // Without a tenant of its own it sees none.
  CHECK_FALSE(cloud.ask_as(api::Key::of_operator, Party::headquarters, {{"do", "webhook_show"}}));
}
