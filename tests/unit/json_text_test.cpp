// What others write as JSON, and what of theirs is shown as JSON: of any depth, shape and bytes.
#include <doctest/doctest.h>

#include <stdexcept>

#include "transport/api/json.hpp"
#include "transport/api/socket.hpp"

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
  return to_json(conflict, [](const std::string&) { return std::optional<std::int64_t>(-1000); });
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
  const Json page = conflicts_page(Json::array({shown_conflict()}), "");
  CHECK(answer_text(page).find("J\xef\xbf\xbdrgen") != std::string::npos);
  CHECK(draft_from({{"fields", {{"a", {"caf\xe9"}}}}})->document.fields.at("a") == "[\"caf\xef\xbf\xbd\"]");
}

TEST_CASE("a conflict that another machine shows is read, or is none, whatever it sent") {
  const auto shown = conflict_from(shown_conflict());
  REQUIRE(shown);
  CHECK(shown->conflict.sides[0].cashier == "J\xfcrgen");
  CHECK(shown->stock.at("caf\xe9") == -1000);
  const std::string record = shown_conflict()["record"];
  for (const Json& sent : {Json(), Json("record"), Json{{"record", 5}}, Json{{"record", "zz"}}, Json{{"record", "1g"}},
                           Json{{"record", record.substr(1)}}, Json::array()})
    CHECK_FALSE(conflict_from(sent));
  CHECK(conflict_from({{"record", record}, {"stock", {{"tea", "much"}, {"nuts", 5}}}})->stock.size() == 1);
  for (const Json& sent : {Json("text"), Json(5), Json{1, 2, 256}, Json{1, -2}, Json{"a"}, Json::object()})
    CHECK(bytes_from(sent).empty());
  CHECK(bytes_from({65, 66}) == "AB");
}

TEST_CASE("a person's key is told of an error as an error, and not of nothing") {
  const auto said = parse_json(answer_text(fail(ErrorKind::io, "the database does not answer")));
  REQUIRE(said);
  CHECK(text_of(*said, "error") == "the database does not answer");
}

TEST_CASE("a question to the control socket is answered once, also when its handler throws") {
  std::vector<Result<Json>> answers;
  const auto ask = [&](ControlHandler handler) {
    answers.clear();
    always_answering(std::move(handler))(Json::object(), [&](Result<Json> answer) { answers.push_back(answer); });
  };
  ask([](const Json&, const ControlReply&) { throw std::runtime_error("nobody foresaw this"); });
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].error().kind == ErrorKind::io);
  ask([](const Json& q, const ControlReply& reply) { reply(q.at("nothing")); });
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].error().kind == ErrorKind::invalid);
  ask([](const Json&, const ControlReply& reply) { reply(Json(1)), throw std::runtime_error("too late"); });
  REQUIRE(answers.size() == 1);
  CHECK(answers[0] == Json(1));
}
