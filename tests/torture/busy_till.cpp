#include "tests/torture/busy_till.hpp"

namespace tillsync::torture {

namespace {
constexpr JournalSizes kSizes{16 * 1024, 2048};
constexpr Duration kFlush = milliseconds(2);

OpDraft sale(std::uint64_t number, Random& random) {
  OpDraft draft{.kind = OpKind::sale, .key = "sale/" + std::to_string(number), .cashier = "ada", .document = {}};
  draft.document.note = std::string(random.below(300), 'n');
  draft.document.lines.push_back({"sku-" + std::to_string(random.below(5)),
                                  Quantity::units(1 + static_cast<std::int64_t>(random.below(3))),
                                  100,
                                  {}});
  return draft;
}
}  // namespace

BusyTill::BusyTill(SectorDisk& disk, std::string folder, std::uint64_t seed)
    : disk_(disk), folder_(std::move(folder)), random_(seed) {}

Result<void> BusyTill::start() {
  auto store = TillStore::open(folder_);
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);
  Recovered recovered;
  const JournalPosition checkpoint = store_->view().state().value_or(TillState{}).checkpoint;
  auto journal = Journal::open(
      disk_, "journal", checkpoint, checkpoint, [&](JournalPosition, ByteView op) { recovered.tail.emplace_back(op); },
      recovered.report, kSizes);
  if (!journal) return tl::unexpected(journal.error());
  journal_.emplace(std::move(*journal));
  report_ = recovered.report;
  TillCoreConfig config{BranchId{"main"}, TillId{"till-1"}, SecretKey::from_seed({1}), std::nullopt, false};
  node_ = std::make_unique<TillCore>(std::move(config), *store_, std::move(recovered), Random(random_.next()), now_);
  carry_out(node_->on_start(now_));
  return {};
}

void BusyTill::stop() {
  node_.reset();
  journal_.reset();
  store_.reset();
  waiting_.clear();
}

void BusyTill::carry_out(Actions actions) {
  for (const Notice& notice : actions.notices) {
    if (notice.weight != Notice::Weight::info) alarms_.push_back(notice.text);
  }
  for (Actions::Reply& reply : actions.replies) {
    const std::string key = waiting_.extract(reply.to.value).mapped();
    reply.result ? void(receipts_[key] = *reply.result) : refusals_.push_back(reply.result.error());
  }
  // Two disks, either of which may be through first.
  const bool commit_first = random_.below(2) == 0;
  for (const bool commit : {commit_first, !commit_first}) {
    if (commit && actions.commit) {
      (void)disk_.step();
      auto done = store_->commit(*actions.commit);
      (void)disk_.step();
      carry_out(node_->on_committed(now_, std::move(done)));
    }
    if (!commit && actions.append) {
      auto end = journal_->append(*actions.append);
      now_.mono = now_.mono + kFlush;
      carry_out(node_->on_appended(now_, std::move(end)));
    }
  }
}

void BusyTill::tick(Duration time) {
  now_.mono = now_.mono + time;
  now_.wall_ms += to_ms(time);
  if (now_.mono >= node_->next_wake(now_)) carry_out(node_->on_wake(now_));
}

void BusyTill::sell(int groups) {
  for (int i = 0; i < groups; ++i) {
    TillCore::Drafts drafts;
    for (auto n = 1 + random_.below(4); n > 0; --n) {
      OpDraft draft = sale(++sales_, random_);
      waiting_[++asked_] = draft.key;
      drafts.emplace_back(ReplyTo{asked_}, ValidDraft::of(draft).value());
    }
    carry_out(node_->on_record(now_, std::move(drafts)));
    tick(milliseconds(random_.below(300)));
  }
}

void BusyTill::rest() {
  for (int i = 0; i < 20; ++i) tick(milliseconds(500));
}

std::string BusyTill::broken_promise() const {
  std::set<std::pair<Incarnation, Seq>> places;
  for (const auto& [key, receipt] : receipts_) {
    const auto op = node_->own().history().find(key);
    if (!op) return key + " has a receipt and is not there";
    if (op->hash != receipt.hash && !op->op.origin) return key + " is another op than its receipt says";
    if (!places.insert({op->op.chain.incarnation, op->op.seq}).second) return key + " shares its place";
  }
  return {};
}

}  // namespace tillsync::torture
