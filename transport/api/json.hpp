// Ops, receipts, status and rows as JSON: what the control socket, `--json` and `export` show. Field names are listed
// in docs/running-a-shop.md.
#pragma once

#include <tillsync/availability.hpp>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>
#include <tillsync/status.hpp>
#include <tillsync/time.hpp>

#include "conflicts/choices.hpp"
#include "engine/cloud/fleet.hpp"
#include "lease/roster.hpp"
#include "storage/model/cloud_op.hpp"
#include "transport/base/json_text.hpp"

namespace tillsync {

class TillCore;

Json to_json(const Op& op, const Hash& hash);
Json to_json(const Receipt& receipt);
Json to_json(const Status& status);
Json to_json(const Roster& roster);
Json to_json(const Conflict& conflict, const StockNow& stock);
// The conflict that a shown one was made of, and the stock that was known then.
struct ShownConflict {
  Conflict conflict;
  std::map<std::string, std::int64_t> stock;
  StockNow stock_now() const;
};
// What fits a message of the conflicts from number `from` on: those that wait before those that are settled.
Json conflicts_page(Json all, const std::string& from);
std::optional<ShownConflict> conflict_from(const Json& json);  // nothing when somebody sent anything else
// What a person's key is answered: the JSON, or {"error": sentence}.
std::string answer_text(const Result<Json>& answer);
Json to_json(const OpDraft& draft);  // as draft_from() reads it; of kinds with a document
Json to_json(const Availability& availability);
Json to_json(const Error& error);
Json to_json(const std::vector<BranchReport>& fleet, std::int64_t now_ms);  // worst first
Json lease_json(const TillCore& node, Now now);   // the shape of `tillsync lease status --json`
Json spread_json(const TillCore& node, Now now);  // the roster, who holds it durably, and for how long most have

const char* name_of(OpKind kind);
std::optional<OpKind> kind_named(const std::string& name);
const char* name_of(Level level);
const char* name_of(OpEffect effect);
std::optional<Level> level_named(const std::string& name);

// Errors: invalid, naming the field.
Result<OpDraft> draft_from(const Json& json);

// Bytes as numbers: rosters and certificates. Anything else is read as no bytes.
Json bytes_json(ByteView bytes);
Bytes bytes_from(const Json& json);

// Row fields are MessagePack in the store and JSON here.
Bytes fields_from(const Json& json);
Json fields_json(ByteView fields);  // null when they can't be read

}  // namespace tillsync
