#include "sim/world/sim_cloud.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/cloud/reset_cloud.hpp"
#include "sim/world/sim_till.hpp"

namespace tillsync::sim {

namespace {
constexpr Duration kJob = milliseconds(5);
}

SimCloud::SimCloud(World& world, Network& network, Observer& observer, SecretKey key, std::string folder)
    : world_(world), network_(network), observer_(observer), key_(key), folder_(std::move(folder) + "/cloud") {}

void SimCloud::serve(const Roster& roster) {
  rosters_[{roster.keys.id(), roster.branch}] = roster;
  if (core_) carry_out(core_->on_roster(roster));
}

Now SimCloud::now() const { return {world_.now(), kEpochMs + to_ms(world_.now().since_boot)}; }

void SimCloud::start() {
  std::filesystem::create_directories(folder_);
  ++life_;
  auto store = open_lmdb_cloud(folder_, world_.random().nonzero());
  store_ = std::move(store.value());
  core_ = std::make_unique<CloudCore>(key_);
  witness_ = std::make_unique<Witness>();
  for (const auto& [shop, roster] : rosters_) (void)core_->on_roster(roster);
  world_.trace([&] { return label_ + " starts"; });
  network_.join(*this);
}

void SimCloud::crash() {
  world_.trace([&] { return label_ + " crashes"; });
  network_.leave(*this);
  ++life_;
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

void SimCloud::put_row(const BranchKey& shop, const CloudRow& row) {
  auto written = store_->write([&](CloudTxn& txn) -> Result<void> { return txn.put_row(shop, row), Result<void>(); });
  if (!written) std::abort();
  observer_.on_cloud_row(row);
  carry_out(core_->on_rows_changed(now(), std::set{CloudNews{shop.tenant, row.feed.feed}}));
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
  if (actions.new_roster) rosters_[actions.new_roster->first] = actions.new_roster->second;
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
