#include "transport/api/json.hpp"

#include <array>

#include "storage/model/op_codec.hpp"

namespace tillsync {

namespace {

constexpr std::array<const char*, 14> kKinds = {
    "",      "sale", "refund", "resale",     "restock",          "transfer", "adjust",
    "count", "edit", "price",  "resolution", "clock_correction", "custom",   "incarnation"};
constexpr std::array<const char*, 4> kLevels = {"own_disk", "two_disks", "host", "cloud"};

std::int64_t number_of(const Json& json, const char* field) {
  const auto it = json.find(field);
  return it != json.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

Result<Line> line_from(const Json& json) {
  if (!json.is_object() || text_of(json, "sku").empty())
    return fail(ErrorKind::invalid, "a line without a sku: give each line one");
  if (json.contains("milli") && !json["milli"].is_number_integer()) {
    return fail(ErrorKind::invalid, "'milli' is a whole number of thousandths, such as 2000 for two pieces");
  }
  return Line{text_of(json, "sku"),
              {json.contains("milli") ? number_of(json, "milli") : 1000},
              number_of(json, "unit_price"),
              text_of(json, "name")};
}

}  // namespace

const char* name_of(OpKind kind) {
  const auto n = static_cast<std::size_t>(kind);
  return n > 0 && n < kKinds.size() ? kKinds[n] : "unknown";
}

std::optional<OpKind> kind_named(const std::string& name) {
  for (std::size_t i = 1; i < kKinds.size(); ++i) {
    if (name == kKinds[i]) return static_cast<OpKind>(i);
  }
  return std::nullopt;
}

const char* name_of(OpEffect effect) {
  constexpr const char* kNames[] = {"applied", "duplicate", "conflict", "dead"};
  return kNames[static_cast<std::size_t>(effect)];
}

const char* name_of(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

std::optional<Level> level_named(const std::string& name) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (name == kLevels[i]) return static_cast<Level>(i);
  }
  return std::nullopt;
}

Result<OpDraft> draft_from(const Json& json) {
  if (!json.is_object()) return fail(ErrorKind::invalid, "an op is a JSON object");
  OpDraft draft;
  const std::string kind = json.contains("kind") ? text_of(json, "kind") : "sale";
  const auto known = kind_named(kind);
  if (!known)
    return fail(ErrorKind::invalid,
                "'" + kind + "' is no kind of op: use sale, refund, restock, count, adjust or transfer");
  draft.kind = *known;
  draft.key = text_of(json, "key");
  draft.cashier = text_of(json, "cashier");
  Document& d = draft.document;
  d.invoice = text_of(json, "invoice");
  if (json.contains("currency")) d.currency = text_of(json, "currency");
  d.reference = text_of(json, "reference");
  d.customer = text_of(json, "customer");
  d.note = text_of(json, "note");
  if (const auto lines = json.find("lines"); lines != json.end() && lines->is_array()) {
    for (const Json& each : *lines) {
      auto line = line_from(each);
      if (!line) return tl::unexpected(line.error());
      d.lines.push_back(std::move(*line));
    }
  }
  if (const auto fields = json.find("fields"); fields != json.end() && fields->is_object()) {
    for (const auto& [name, value] : fields->items())
      d.fields[name] = value.is_string() ? value.get<std::string>() : json_text(value);
  }
  return draft;
}

Json to_json(const Op& op, const Hash& hash) {
  Json out{{"branch", op.branch.text},
           {"till", op.chain.till.text},
           {"incarnation", op.chain.incarnation.value},
           {"seq", op.seq.value},
           {"hlc", op.hlc.value},
           {"at_ms", op.hlc.millis()},
           {"hash", hash.hex()},
           {"kind", name_of(op.kind)},
           {"kind_number", static_cast<int>(op.kind)},
           {"key", op.key}};
  if (!op.cashier.empty()) out["cashier"] = op.cashier;
  if (op.origin) out["origin"] = {{"incarnation", op.origin->incarnation.value}, {"seq", op.origin->seq.value}};
  const auto document = decode_document(op.body);
  if (!document) return out;
  out["invoice"] = document->invoice;
  out["currency"] = document->currency;
  for (const auto& [name, value] :
       {std::pair("reference", &document->reference), {"customer", &document->customer}, {"note", &document->note}}) {
    if (!value->empty()) out[name] = *value;
  }
  Json lines = Json::array();
  for (const Line& line : document->lines) {
    lines.push_back(
        {{"sku", line.sku}, {"milli", line.quantity.milli}, {"unit_price", line.unit_price}, {"name", line.name}});
  }
  out["lines"] = std::move(lines);
  if (!document->fields.empty()) out["fields"] = document->fields;
  return out;
}

Json to_json(const Receipt& receipt) {
  return {{"incarnation", receipt.incarnation.value},
          {"seq", receipt.seq.value},
          {"hlc", receipt.hlc.value},
          {"hash", receipt.hash.hex()}};
}

Json to_json(const Error& error) {
  constexpr std::array<const char*, 12> kNames = {"invalid", "duplicate_key", "card_number", "not_found",
                                                  "busy",    "disk_full",     "io",          "damaged",
                                                  "locked",  "refused",       "timed_out",   "closed"};
  return {{"kind", kNames[static_cast<std::size_t>(error.kind)]}, {"message", error.message}};
}

Json to_json(const Status& s) {
  Json peers = Json::array();
  for (const PeerStatus& p : s.peers) peers.push_back({{"name", p.name}, {"role", p.role}});
  return {{"branch", s.branch},
          {"till", s.till},
          {"tenant", s.tenant},
          {"roster_version", s.roster_version},
          {"incarnation", s.incarnation},
          {"recorded", s.recorded},
          {"unsent", s.unsent},
          {"kept", s.kept},
          {"one_disk_only", s.one_disk_only},
          {"oldest_unsent_ms", s.oldest_unsent_ms},
          {"relaying", s.relaying},
          {"host", s.host},
          {"lease", s.lease},
          {"is_host", s.is_host},
          {"cloud_connected", s.cloud_connected},
          {"accepting", s.accepting},
          {"database_ok", s.database_ok},
          {"clock_offset_ms", s.clock_offset_ms},
          {"rows", s.rows},
          {"rows_diverged", s.rows_diverged},
          {"forks", s.forks},
          {"fork_open", s.fork_open},
          {"refused_messages", s.refused_messages},
          {"host_changes", s.host_changes},
          {"peers", peers}};
}

Json to_json(const Roster& roster) {
  constexpr std::array<const char*, 4> kRoles = {"till", "cloud", "manager", "support"};
  Json members = Json::array();
  for (const Member& m : roster.members) {
    members.push_back({{"name", m.name.text},
                       {"key", PublicKey::from_bytes(m.key)->hex()},
                       {"role", kRoles[static_cast<std::size_t>(m.role)]},
                       {"votes", m.votes},
                       {"joined", !m.joined.empty()}});
  }
  return {{"tenant", roster.tenant},       {"tenant_id", roster.keys.id()},
          {"branch", roster.branch.text},  {"version", roster.version},
          {"lease_ms", roster.lease_ms},   {"members", members},
          {"epoch", roster.epoch},         {"frozen", roster.frozen},
          {"issued_ms", roster.issued_ms}, {"cloud_pairs", !roster.pairing_key.empty()}};
}

std::string answer_text(const Result<Json>& answer) {
  return json_text(answer ? *answer : Json{{"error", answer.error().message}});
}

Json bytes_json(ByteView bytes) { return std::vector<std::uint8_t>(bytes.begin(), bytes.end()); }

Bytes bytes_from(const Json& json) {
  Bytes out;
  if (!json.is_array()) return out;
  for (const Json& each : json) {
    if (!each.is_number_integer() || each < 0 || each > 255) return {};
    out += static_cast<char>(each.get<std::uint8_t>());
  }
  return out;
}

Bytes fields_from(const Json& json) {
  const std::vector<std::uint8_t> packed = Json::to_msgpack(json);
  return {packed.begin(), packed.end()};
}

Json fields_json(ByteView fields) { return parse_msgpack(fields).value_or(Json()); }

}  // namespace tillsync
