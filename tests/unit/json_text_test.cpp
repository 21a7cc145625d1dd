// What others write as JSON, and what of theirs is shown as JSON: of any depth, shape and bytes.
#include <doctest/doctest.h>

#include <stdexcept>

#include "transport/api/answering.hpp"
#include "transport/api/in_message.hpp"
#include "transport/api/views.hpp"

using namespace tillsync;

namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

Json shown_conflict() {
  Conflict conflict;
  conflict.id = "1f";
  conflict.kind = "below_zero";
  conflict.subject = "caf\xe9";
  conflict.sides.resize(1);
  conflict.sides[0].cashier = "J\xfcrgen";
  return api::write(api::view_of(conflict, [](const std::string&) { return std::optional<std::int64_t>(-1000); }));
}

}  // namespace

TEST_CASE("JSON and MessagePack that nest too deep are refused, however deep; what real answers need is read") {
  CHECK(parse_json(nested(kMaxJsonDepth)).has_value());
  CHECK(parse_json(nested(kMaxJsonDepth + 1)).error().kind == ErrorKind::refused);
  for (const char* open : {"[", "{\"a\":", "[{\"a\":["}) {
    std::string text;
    while (text.size() < 2'000'000) text += open;
    CHECK(parse_json(text).error().kind == ErrorKind::refused);
  }
  CHECK(parse_json("[1,").error().kind == ErrorKind::invalid);
  CHECK(parse_json("[\"\xe9\"]").error().kind == ErrorKind::invalid);
  const auto side_by_side = parse_json("[" + nested(kMaxJsonDepth - 1) + "," + nested(kMaxJsonDepth - 1) + "]");
  CHECK(side_by_side.has_value());
  CHECK(fields_json(std::string(500'000, '\x91')) == Json());
  CHECK(fields_json(std::string(kMaxValueDepth, '\x91') + '\x01').is_array());
}

TEST_CASE("text that is not UTF-8 is shown with a mark for what can't be read, and throws nowhere") {
  CHECK(json_text("caf\xe9") == "\"caf\xef\xbf\xbd\"");
  const auto page = api::page_of({api::from_json<api::ConflictView>(shown_conflict()).value()}, 0);
  CHECK(api::answer_text(api::write(page)).find("J\xef\xbf\xbdrgen") != std::string::npos);
  const auto draft = api::from_json<OpDraft>({{"fields", {{"a", {"caf\xe9"}}}}});
  CHECK(draft->document.fields.at("a") == "[\"caf\xef\xbf\xbd\"]");
}

TEST_CASE("a conflict that another machine shows is read, or is none, whatever it sent") {
  const auto read = [](const Json& sent) -> std::optional<api::ShownConflict> {
    const auto view = api::from_json<api::ConflictView>(sent);
    return view ? api::conflict_of(*view) : std::nullopt;
  };
  const auto shown = read(shown_conflict());
  REQUIRE(shown);
  CHECK(shown->conflict.sides[0].cashier == "J\xfcrgen");
  CHECK(shown->stock.at("caf\xe9") == -1000);
  const std::string record = shown_conflict()["record"];
  for (const Json& sent : {Json(), Json("record"), Json{{"record", 5}}, Json{{"record", "zz"}}, Json{{"record", "1g"}},
                           Json{{"record", record.substr(1)}}, Json{{"record", record}, {"stock", 5}}, Json::array()})
    CHECK_FALSE(read(sent));
  for (const Json& sent : {Json("text"), Json(5), Json{1, 2, 256}, Json{1, -2}, Json{"a"}, Json::object()})
    CHECK_FALSE(api::from_json<api::Octets>(sent));
  CHECK(api::from_json<api::Octets>({65, 66})->bytes == "AB");
  CHECK(api::from_json<api::Octets>("4142")->bytes == "AB");
}

TEST_CASE("a person's key is told of an error as an error, and not of nothing") {
  const auto said = parse_json(api::answer_text(fail(ErrorKind::io, "the database does not answer")));
  REQUIRE(said);
  CHECK(text_of(*said, "error") == "the database does not answer");
}

TEST_CASE("a question is answered once, also when its handler throws") {
  std::vector<Result<Json>> said;
  const auto ask = [&](std::function<void(const api::Reply<api::Stock>&)> handler) {
    said.clear();
    api::Answering answers;
    answers.on_later<api::StockRequest>(
        [&](const api::Asker&, const api::StockRequest&, const api::Reply<api::Stock>& reply) { handler(reply); });
    using Alone = api::Table<api::Asks<"stock", api::kUser, api::Does::reads, api::StockRequest, api::Stock>>;
    answers.complete<Alone>("till");
    answers.ask({}, {{"do", "stock"}}, [&](Result<Json> answer) { said.push_back(std::move(answer)); });
  };
  ask([](const auto&) { throw std::runtime_error("nobody foresaw this"); });
  REQUIRE(said.size() == 1);
  CHECK(said[0].error().kind == ErrorKind::io);
  ask([](const auto& reply) { reply(api::Stock{{"a", Json().at("nothing").get<int>()}}); });
  REQUIRE(said.size() == 1);
  CHECK(said[0].error().kind == ErrorKind::invalid);
  ask([](const auto& reply) { reply(api::Stock{}), throw std::runtime_error("too late"); });
  REQUIRE(said.size() == 1);
  CHECK(said[0] == Json::object());
}
