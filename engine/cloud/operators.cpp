#include "engine/cloud/operators.hpp"

#include "engine/cloud/ingest/meta_names.hpp"
#include "storage/base/pack.hpp"

namespace tillsync {

namespace {

constexpr std::size_t kIdBytes = 8, kSecretBytes = 32;

std::string hex(ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned char c : bytes) out += kDigits[c >> 4], out += kDigits[c & 15];
  return out;
}

bool is_hex(const std::string& text) { return text.find_first_not_of("0123456789abcdef") == std::string::npos; }

}  // namespace

OperatorKey OperatorKey::of(ByteView random) {
  return {hex(random.substr(0, kIdBytes)), hex(random.substr(kIdBytes, kSecretBytes))};
}

std::optional<OperatorKey> OperatorKey::parse(const std::string& text) {
  constexpr std::size_t kId = 2 * kIdBytes, kSecret = 2 * kSecretBytes;
  if (text.size() != 4 + kId + 1 + kSecret || !text.starts_with("tso_") || text[4 + kId] != '_') return std::nullopt;
  OperatorKey key{text.substr(4, kId), text.substr(5 + kId)};
  if (!is_hex(key.id) || !is_hex(key.secret)) return std::nullopt;
  return key;
}

Result<void> add_operator(CloudTxn& txn, Operator fresh, const OperatorKey& key) {
  if (fresh.role == Party::till)
    return fail(ErrorKind::invalid, "a till proves itself by its branch's roster: pair it with 'tillsync pair'");
  if (fresh.tenant.empty() && fresh.role != Party::metrics)
    return fail(ErrorKind::invalid, "only a key for metrics may see all tenants: name one with --tenant");
  fresh.id = key.id;
  fresh.secret = blake2b(key.secret);
  txn.put_meta(operator_meta(key.id), pack(fresh));
  return {};
}

bool drop_operator(CloudTxn& txn, const std::string& id) {
  const bool known = txn.meta(operator_meta(id)).has_value();
  if (known) txn.drop_meta(operator_meta(id));
  return known;
}

std::vector<Operator> operators(CloudTxn& txn) {
  std::vector<Operator> out;
  txn.metas(kOperatorNotes, [&](const std::string&, ByteView value) {
    if (auto each = unpack<Operator>(value)) out.push_back(std::move(*each));
  });
  return out;
}

Result<Operator> find_operator(CloudTxn& txn, const std::string& text, std::int64_t now_ms) {
  const auto key = OperatorKey::parse(text);
  const auto meta = key ? txn.meta(operator_meta(key->id)) : std::nullopt;
  auto known = meta ? unpack<Operator>(*meta) : std::nullopt;
  if (!known || known->secret != blake2b(key->secret))
    return fail(ErrorKind::refused, "no such key: ask this cloud's operator for one ('tillsync operator add')");
  if (known->expires_ms != 0 && now_ms >= known->expires_ms)
    return fail(ErrorKind::refused,
                "the key of " + known->name + " has expired: ask this cloud's operator for a new one");
  return std::move(*known);
}

}  // namespace tillsync
