#include "sim/world/sim_cloud.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/cloud/reset_cloud.hpp"
#include "engine/cloud/roster_record.hpp"
#include "sim/world/sim_till.hpp"

namespace tillsync::sim {

namespace {
constexpr Duration kJob = milliseconds(5);

template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}
}  // namespace

SimCloud::SimCloud(World& world, Network& network, Observer& observer, SecretKey key, std::string folder)
    : world_(world), network_(network), observer_(observer), key_(key), folder_(std::move(folder) + "/cloud") {}

void SimCloud::serve(const Roster& roster) {
  rosters_.push_back(roster);
  if (core_) carry_out(core_->on_request(now(), {}, {roster.keys.id(), roster.branch}, roster));
}

Now SimCloud::now() const { return {world_.now(), kEpochMs + to_ms(world_.now().since_boot)}; }

void SimCloud::start() {
  std::filesystem::create_directories(folder_);
  ++life_;
  auto store = open_lmdb_cloud(folder_, world_.random().nonzero());
  store_ = std::move(store.value());
  core_ = std::make_unique<CloudCore>(key_);
  witness_ = std::make_unique<Witness>();
  for (const Roster& roster : rosters_) must(store_roster(*store_, roster));
  for (const Roster& roster : must(stored_rosters(*store_, {}))) (void)core_->on_roster(roster);
  world_.trace([&] { return label_ + " starts"; });
  network_.join(*this);
  for (const auto& [to, import] : imports_) send(to, import);
}

void SimCloud::crash() {
  world_.trace([&] { return label_ + " crashes"; });
  network_.leave(*this);
  ++life_;
  settlements_.clear();
  core_.reset();
  store_.reset();
}

void SimCloud::backup() {
  std::filesystem::remove_all(folder_ + "-backup");
  std::filesystem::copy(folder_, folder_ + "-backup", std::filesystem::copy_options::recursive);
  backed_up_ = true;
}

void SimCloud::restore() {
  crash();
  std::filesystem::remove_all(folder_);
  std::filesystem::copy(folder_ + "-backup", folder_, std::filesystem::copy_options::recursive);
  auto store = open_lmdb_cloud(folder_, world_.random().nonzero());
  if (!reset_cloud(**store, world_.random().nonzero(), now().wall_ms)) std::abort();
  store->reset();
  start();
}

void SimCloud::read(const std::function<void(CloudTxn&)>& body) {
  auto read = store_->read([&](CloudTxn& txn) -> Result<void> { return body(txn), Result<void>(); });
  if (!read) std::abort();
}

void SimCloud::put_row(const BranchKey& branch, const CloudRow& row) {
  const ReplyTo to{++last_reply_};
  const Import& import = imports_.emplace(to, Import{branch, row}).first->second;
  if (alive()) send(to, import);
}

void SimCloud::send(ReplyTo to, const Import& import) {
  const CloudRow& row = import.row;
  ImportBatch batch{row.feed, {{row.id, row.deleted, row.fields}}, {}, {}};
  carry_out(core_->on_request(now(), to, import.branch, std::move(batch)));
}

void SimCloud::settle(const BranchKey& branch, const OpDraft& draft, std::function<void(Result<void>)> done) {
  const ReplyTo to{++last_reply_};
  settlements_[to] = std::move(done);
  carry_out(core_->on_request(now(), to, branch, SettlementDraft{draft, core_->rosters().at(branch).cloud()->name}));
}

void SimCloud::answer(const CloudReply& reply) {
  const auto import = imports_.extract(reply.to);
  if (!import.empty() && !reply.outcome) std::abort();  // what headquarters sends here is sound
  if (!import.empty()) observer_.on_cloud_row(import.mapped().row);
  const auto settlement = settlements_.extract(reply.to);
  if (!settlement.empty()) settlement.mapped()(reply.outcome.map([](std::uint64_t) {}));
}

bool SimCloud::accepts(const Endpoint& other) const {
  return std::any_of(core_->rosters().begin(), core_->rosters().end(), [&](const auto& each) {
    return each.first.branch == other.branch() && each.second.find(other.identity()) != nullptr;
  });
}

void SimCloud::on_up(PeerId id, Endpoint& other) {
  for (const auto& [shop, roster] : core_->rosters()) {
    if (shop.branch == other.branch()) return carry_out(core_->on_peer_up(now(), id, shop, other.identity()));
  }
}

void SimCloud::on_down(PeerId id) {
  if (alive()) core_->on_peer_down(id);
}

void SimCloud::on_bytes(PeerId id, Bytes bytes) {
  if (!alive()) return;
  auto message = decode_message(bytes);
  if (!message) return carry_out(core_->on_unreadable(id));
  if (const auto* command = std::get_if<Command>(&*message)) commands_[command->nonce] = command->certificate.ballot;
  carry_out(core_->on_message(now(), id, std::move(*message)));
}

void SimCloud::carry_out(CloudActions actions) {
  for (const Actions::Send& send : actions.sends) {
    const auto* done = std::get_if<Commanded>(&send.message);
    if (done != nullptr && done->refusal.empty()) observer_.on_commanded(commands_[done->nonce]);
  }
  for (const Actions::Send& send : actions.sends) network_.send(*this, send.to, encode(send.message));
  for (const CloudReply& reply : actions.replies) answer(reply);
  for (PeerId peer : actions.hang_up) network_.hang_up(*this, peer);
  auto alive_later = [this](Duration delay, std::function<void()> work) {
    world_.after(delay, [this, life = life_, work = std::move(work)] {
      if (life == life_) work();
    });
  };
  for (const CloudActions::Job& each : actions.jobs) {
    alive_later(kJob, [this, alive_later, lane = each.lane, job = each.job] {
      auto outcome = run_job(*store_, *witness_, *job, [this] { return now().mono; });
      if (outcome) observer_.on_cloud_job();
      alive_later(Duration(1), [this, lane, outcome] { carry_out(core_->on_done(now(), lane, outcome)); });
    });
  }
  if (const auto at = core_->next_wake()) alive_later(*at - now().mono, [this] { carry_out(core_->on_wake(now())); });
}

}  // namespace tillsync::sim
