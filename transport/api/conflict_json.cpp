// Conflicts as JSON: what `tillsync conflicts --json` shows, and what the terminal reads back.
#include <sodium.h>

#include <algorithm>
#include <set>

#include "conflicts/policy.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/row_edit.hpp"
#include "transport/api/json.hpp"

namespace tillsync {

namespace {

Json moves_json(const std::vector<ConflictMove>& moves) {
  Json out = Json::array();
  for (const ConflictMove& m : moves) out.push_back({{"sku", m.sku}, {"milli", m.milli}, {"unit_price", m.unit_price}});
  return out;
}

Json side_json(const ConflictSide& side) {
  Json out{{"till", side.place.till.text},
           {"incarnation", side.place.incarnation.value},
           {"seq", side.place.seq.value},
           {"at_ms", side.place.hlc.millis()},
           {"key", side.key},
           {"cashier", side.cashier},
           {"what", side.what},
           {"milli", side.milli},
           {"money", side.money}};
  if (!side.was.empty()) out["had_seen"] = value_words(side.was);
  return out;
}

std::string hex(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const unsigned char c : bytes) out += {kDigits[c >> 4], kDigits[c & 15]};
  return out;
}

std::optional<Bytes> from_hex(const std::string& text) {
  Bytes out(text.size() / 2, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_hex2bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(), nullptr, &size,
                     &end) != 0)
    return std::nullopt;
  return end == text.data() + text.size() ? std::optional(std::move(out)) : std::nullopt;
}

std::set<std::string> products_of(const Conflict& c) {
  std::set<std::string> out;
  if (c.kind == "below_zero") out.insert(c.subject);
  for (const ConflictSide& side : c.sides) {
    for (const ConflictMove& m : side.moves) out.insert(m.sku);
  }
  if (c.settlement) {
    for (const ConflictMove& m : c.settlement->moves) out.insert(m.sku);
  }
  return out;
}

}  // namespace

Json to_json(const Conflict& c, const StockNow& stock_now) {
  Json sides = Json::array(), history = Json::array(), choices = Json::array(), stock = Json::object();
  for (const ConflictSide& side : c.sides) sides.push_back(side_json(side));
  for (const ConflictStep& step : c.history)
    history.push_back({{"at_ms", step.at_ms}, {"who", step.who}, {"what", step.what}, {"reason", step.reason}});
  for (const Choice& choice : choices_for(c, stock_now)) {
    choices.push_back({{"name", choice.name},
                       {"words", choice.words},
                       {"preview", choice.preview},
                       {"moves", moves_json(choice.moves)}});
  }
  for (const std::string& sku : products_of(c)) {
    if (const auto milli = stock_now(sku)) stock[sku] = *milli;
  }
  return {{"id", c.id},
          {"kind", c.kind},
          {"branch", c.branch},
          {"subject", c.subject},
          {"open", c.waits()},
          {"at_ms", c.at_ms},
          {"state", name_of(c.state)},
          {"money", c.money},
          {"currency", c.currency},
          {"sides", sides},
          {"summary", c.summary},
          {"history", history},
          {"rule", c.rule},
          {"choices", choices},
          {"stock", stock},
          {"record", hex(pack(c))}};
}

Json conflicts_page(Json all, const std::string& from) {
  constexpr std::size_t kMostBytes = 512 * 1024;
  std::stable_partition(all.begin(), all.end(), [](const Json& c) { return c["open"] == true; });
  const std::size_t first = from.empty() || from.size() > 9 ? 0 : std::stoul("0" + from);
  Json page = Json::array();
  std::size_t bytes = 0;
  for (std::size_t i = first; i < all.size() && bytes < kMostBytes; ++i) {
    bytes += json_text(all[i]).size();
    page.push_back(std::move(all[i]));
  }
  return {{"conflicts", page}, {"more", first + page.size() < all.size()}};
}

StockNow ShownConflict::stock_now() const {
  return [stock = stock](const std::string& sku) {
    const auto it = stock.find(sku);
    return it == stock.end() ? std::nullopt : std::optional(it->second);
  };
}

std::optional<ShownConflict> conflict_from(const Json& json) {
  const auto record = from_hex(text_of(json, "record"));
  auto conflict = record ? unpack<Conflict>(*record) : std::nullopt;
  if (!conflict) return std::nullopt;
  ShownConflict out{std::move(*conflict), {}};
  if (const auto stock = json.find("stock"); stock != json.end() && stock->is_object()) {
    for (const auto& [sku, milli] : stock->items()) {
      if (milli.is_number_integer()) out.stock[sku] = milli.get<std::int64_t>();
    }
  }
  return out;
}

Json to_json(const OpDraft& draft) {
  Json lines = Json::array();
  for (const Line& line : draft.document.lines)
    lines.push_back(
        {{"sku", line.sku}, {"milli", line.quantity.milli}, {"unit_price", line.unit_price}, {"name", line.name}});
  return {{"kind", name_of(draft.kind)},
          {"key", draft.key},
          {"cashier", draft.cashier},
          {"invoice", draft.document.invoice},
          {"currency", draft.document.currency},
          {"reference", draft.document.reference},
          {"customer", draft.document.customer},
          {"note", draft.document.note},
          {"fields", draft.document.fields},
          {"lines", lines}};
}

Json to_json(const Availability& a) {
  constexpr const char* kAnswers[] = {"yes", "no", "unknown"};
  Json out{{"answer", kAnswers[static_cast<std::size_t>(a.answer)]}, {"rule", name_of(a.rule)}, {"why", a.why}};
  out["believed_milli"] = a.believed ? Json(a.believed->milli) : Json();
  out["age_ms"] = a.age ? Json(a.age->count()) : Json();
  return out;
}

}  // namespace tillsync
