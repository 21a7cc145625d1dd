#include <cstdlib>
#include <filesystem>

#include "sim/sim_nodes.hpp"

namespace tillsync::sim {

namespace {
constexpr Duration kJob = milliseconds(5);
}

SimCloud::SimCloud(World& world, std::string folder, const Roster& roster)
    : world_(world),
      folder_(std::move(folder) + "/cloud"),
      roster_(roster),
      shop_{roster.tenant_hex(), roster.branch} {}

Now SimCloud::now() const { return {world_.now(), kEpochMs + to_ms(world_.now().since_boot)}; }

void SimCloud::start() {
  std::filesystem::create_directories(folder_);
  ++life_;
  auto store = open_lmdb_cloud(folder_, world_.random().nonzero());
  store_ = std::move(store.value());
  core_ = std::make_unique<CloudCore>();
  core_->add_roster(roster_);
  world_.join(*this);
}

void SimCloud::crash() {
  world_.leave(*this);
  ++life_;
  core_.reset();
  store_.reset();
}

void SimCloud::read(const std::function<void(CloudTxn&)>& body) {
  auto read = store_->read([&](CloudTxn& txn) -> Result<void> { return body(txn), Result<void>(); });
  if (!read) std::abort();
}

void SimCloud::put_row(const CloudRow& row) {
  auto written = store_->write([&](CloudTxn& txn) -> Result<void> { return txn.put_row(shop_, row), Result<void>(); });
  if (!written) std::abort();
  carry_out(core_->on_rows_changed(now()));
}

void SimCloud::on_up(PeerId id, Endpoint& other) {
  carry_out(core_->on_peer_up(now(), id, shop_, TillId{other.name()}));
}

void SimCloud::on_down(PeerId id) {
  if (alive()) core_->on_peer_down(id);
}

void SimCloud::on_bytes(PeerId id, Bytes bytes) {
  if (!alive()) return;
  if (auto message = decode_message(bytes)) carry_out(core_->on_message(now(), id, std::move(*message)));
}

void SimCloud::carry_out(CloudActions actions) {
  for (const Actions::Send& send : actions.sends) world_.send(*this, send.to, send.message);
  for (PeerId peer : actions.hang_up) world_.hang_up(*this, peer);
  auto alive_later = [this](Duration delay, std::function<void()> work) {
    world_.after(delay, [this, life = life_, work = std::move(work)] {
      if (life == life_) work();
    });
  };
  if (actions.job) {
    alive_later(kJob, [this, alive_later, job = std::move(actions.job)] {
      auto outcome = run_job(*store_, *job);
      alive_later(Duration(1), [this, outcome] { carry_out(core_->on_done(now(), outcome)); });
    });
  }
  if (const auto at = core_->next_wake()) alive_later(*at - now().mono, [this] { carry_out(core_->on_wake(now())); });
}

}  // namespace tillsync::sim
