#include "transport/base/json_text.hpp"

namespace tillsync {

namespace {

// Builds what Json::parse() builds, and stops at the first level that is one too many.
class ShallowBuilder : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  ShallowBuilder(Json& out, std::size_t max_depth) : json_sax_dom_parser(out, false), left_(max_depth) {}
  bool start_object(std::size_t n) { return enter() && json_sax_dom_parser::start_object(n); }
  bool end_object() { return ++left_, json_sax_dom_parser::end_object(); }
  bool start_array(std::size_t n) { return enter() && json_sax_dom_parser::start_array(n); }
  bool end_array() { return ++left_, json_sax_dom_parser::end_array(); }
  bool too_deep() const { return too_deep_; }

 private:
  bool enter() {
    too_deep_ = left_ == 0;
    return !too_deep_ && left_-- > 0;
  }
  std::size_t left_;
  bool too_deep_ = false;
};

Result<Json> parse(std::string_view text, std::size_t max_depth, Json::input_format_t format) {
  Json out;
  ShallowBuilder builder(out, max_depth);
  if (Json::sax_parse(text.begin(), text.end(), &builder, format)) return out;
  return builder.too_deep()
             ? fail(ErrorKind::refused, "it nests more than " + std::to_string(max_depth) + " levels deep")
             : fail(ErrorKind::invalid, "it is no JSON");
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t max_depth) {
  return parse(text, max_depth, Json::input_format_t::json);
}

Result<Json> parse_msgpack(std::string_view bytes) {
  return parse(bytes, kMaxValueDepth, Json::input_format_t::msgpack);
}

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& json, const char* field) {
  const auto it = json.find(field);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace tillsync
