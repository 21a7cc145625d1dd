// A cloud's dealings with people: conflicts shown and settled, on this machine or from elsewhere with a key.
#include <set>

#include "engine/cloud/rights.hpp"
#include "engine/lone_history.hpp"
#include "engine/validate.hpp"
#include "storage/base/pack.hpp"
#include "storage/model/feeds.hpp"
#include "storage/model/op_codec.hpp"
#include "transport/api/json.hpp"
#include "transport/base/caught.hpp"
#include "transport/base/clock.hpp"
#include "transport/cloud/cloud_runtime.hpp"

namespace tillsync {

namespace {

Json conflicts_json(CloudTxn& txn, const std::vector<BranchKey>& shops) {
  Json out = Json::array();
  std::set<std::pair<std::string, std::string>> shared;  // those that a tenant's branches share
  for (const BranchKey& shop : shops) {
    const StockNow stock = [&](const std::string& sku) {
      const auto row = txn.row(shop, stock_feed(shop.branch), sku);
      const auto of = row ? unpack<StockRow>(row->fields) : std::nullopt;
      return of ? std::optional(of->milli) : std::nullopt;
    };
    for (const Conflict& c : ConflictBook::all(txn, shop)) {
      if (!c.row || shared.insert({shop.tenant, c.id}).second) out.push_back(to_json(c, stock));
    }
  }
  return out;
}

}  // namespace

void CloudRuntime::conflicts(std::vector<BranchKey> shops, std::function<void(Result<Json>)> done) {
  auto out = std::make_shared<Json>();
  on_database(
      [out, shops = std::move(shops)](CloudStore& store) {
        return store.read(
            [&](CloudTxn& txn) -> Result<void> { return *out = conflicts_json(txn, shops), Result<void>(); });
      },
      [out, done = std::move(done)](Result<void> read) {
        done(read ? Result<Json>(std::move(*out)) : tl::unexpected(read.error()));
      });
}

void CloudRuntime::settle(const BranchKey& shop, OpDraft draft, std::function<void(Result<void>)> done) {
  if (auto valid = validate(draft); !valid) return done(valid);
  const auto said = read_resolution(draft.document, draft.cashier);
  if (draft.kind != OpKind::resolution || !said)
    return done(fail(ErrorKind::invalid, "only a conflict can be settled here"));
  auto changed = std::make_shared<std::set<CloudNews>>();
  on_database(
      [changed, shop, draft, name = name_in(core_.rosters().at(shop)), key = key_, said = *said,
       now_ms = read_clock().wall_ms, policies = policies_](CloudStore& store) {
        return store.write([&](CloudTxn& txn) -> Result<void> {
          txn.lock({shop});
          const auto about = ConflictBook(txn, shop, now_ms, *policies).find(said.conflict);
          if (!about) return fail(ErrorKind::not_found, "this cloud knows of no conflict '" + said.conflict + "'");
          if (auto ok = check(said, *about); !ok) return ok;
          Ingest ingest = IngestPlan(txn, now_ms, *policies).read();
          const auto last = txn.chain(shop, person_chain(name, key.public_key())).value_or(ChainPoint{});
          ingest.branch(shop).push(read_ops(sign_alone(draft, shop.branch, name, key, last, now_ms)));
          std::move(ingest).close({});
          *changed = txn.announced();
          return {};
        });
      },
      [this, changed, done = std::move(done)](Result<void> outcome) {
        if (outcome) rows_changed(*changed);
        done(std::move(outcome));
      });
}

std::vector<BranchKey> CloudRuntime::shops_of_person(PeerId id) const {
  const auto& [own, member] = people_.at(id);
  std::vector<BranchKey> out;
  for (const auto& [shop, roster] : core_.rosters()) {
    const Member* same = shop.tenant == own.tenant ? roster.find_key(member.key) : nullptr;
    if (same != nullptr && is_person(same->role)) out.push_back(shop);
  }
  return out;
}

void CloudRuntime::answer_person(PeerId id, Message message) {
  const Role role = people_.at(id).second.role;
  const auto* question = std::get_if<Question>(&message);
  if (question != nullptr && question->what == "conflicts" && may(role, Right::read_conflicts)) {
    std::map<std::string, Json> rosters;
    for (const BranchKey& shop : shops_of_person(id))
      rosters[shop.branch.text] = bytes_json(core_.rosters().at(shop).encoded());
    return conflicts(shops_of_person(id), [this, id, question = *question, rosters](const Result<Json>& all) {
      const auto page = caught([&]() -> Result<Json> {
        if (!all) return all;
        Json out = conflicts_page(*all, question.argument);
        out["rosters"] = rosters;
        return out;
      });
      links_->send(id, Answer{question.nonce, answer_text(page)});
    });
  }
  const bool may_settle = may(role, Right::settle_conflicts);
  if ((std::holds_alternative<Push>(message) || std::holds_alternative<HistoryOffer>(message)) && may_settle)
    return carry_out(core_.on_message(read_clock(), id, std::move(message)));
  const char* why = question == nullptr
                        ? "this key may ask, and not settle: that takes one with the role support in the roster"
                        : "a cloud tells a person's key of conflicts, and nothing else";
  core_.refusals().count(people_.at(id).first, Refused::not_allowed);
  links_->send(id, Answer{0, answer_text(fail(ErrorKind::refused, why))});
}

}  // namespace tillsync
