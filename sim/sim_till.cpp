#include <cstdlib>
#include <filesystem>

#include "sim/sim_nodes.hpp"

namespace tillsync::sim {

namespace {
constexpr Duration kFlush = std::chrono::microseconds(200), kCommit = milliseconds(3);
namespace fs = std::filesystem;
}  // namespace

SimTill::SimTill(World& world, TillId name, BranchId branch, SecretKey key, std::optional<Roster> roster,
                 std::string folder)
    : world_(world),
      name_(std::move(name)),
      branch_(std::move(branch)),
      key_(key),
      roster_(std::move(roster)),
      folder_(std::move(folder) + "/" + name_.text),
      disk_(Random(world.random().next())) {}

SimTill::~SimTill() {
  if (alive()) crash(false);
}

Now SimTill::now() const {
  const std::int64_t passed = world_.now().since_boot.count();
  const std::int64_t mine = passed + passed / 1'000'000 * clock_.drift_ppm;
  return {Instant{Duration(mine) + milliseconds(clock_.boot_ms)}, kEpochMs + clock_.offset_ms + mine / 1'000'000};
}

void SimTill::start() {
  fs::create_directories(folder_);
  ++life_;
  auto store = TillStore::open(folder_ + "/db");
  store_ = std::move(store.value());
  Recovered recovered;
  const JournalPosition checkpoint = store_->view().state().value_or(TillState{}).checkpoint;
  auto journal = Journal::open(
      disk_, "journal", checkpoint, checkpoint, [&](JournalPosition, ByteView op) { recovered.tail.emplace_back(op); },
      recovered.report);
  journal_.emplace(std::move(journal.value()));
  NodeConfig config{branch_, name_, key_, roster_, true};
  node_ =
      std::make_unique<Node>(std::move(config), *store_, std::move(recovered), Random(world_.random().next()), now());
  world_.join(*this);
  carry_out(node_->on_start(now()));
}

void SimTill::crash(bool power_cut) {
  world_.leave(*this);
  ++life_;
  node_.reset();
  journal_.reset();
  store_.reset();
  asked_.clear();
  waiting_.clear();
  if (power_cut) disk_.power_cut();
}

void SimTill::later(Duration delay, std::function<void()> work) {
  world_.after(delay, [this, life = life_, work = std::move(work)] {
    if (life == life_ && node_) work();
  });
}

void SimTill::record(OpDraft draft) {
  if (!alive()) return;
  const ReplyTo to{next_reply_++};
  asked_[to.value] = draft.key;
  carry_out(node_->on_record(now(), to, std::move(draft)));
}

void SimTill::wait(const std::string& key, Level level, Duration limit, std::function<void(Result<Level>)> done) {
  const ReplyTo to{next_reply_++};
  waiting_[to.value] = std::move(done);
  carry_out(node_->on_wait(now(), to, key, level, limit));
}

bool SimTill::wants(const Endpoint& other) const {
  return other.name() == "cloud" ? node_->wants_cloud(now()) : name_.text < other.name();
}

void SimTill::on_up(PeerId id, Endpoint& other) {
  carry_out(node_->on_peer_up(now(), id, TillId{other.name()}, other.name() == "cloud" ? Role::cloud : Role::till));
}

void SimTill::on_down(PeerId id) {
  if (alive()) carry_out(node_->on_peer_down(now(), id));
}

void SimTill::on_bytes(PeerId id, Bytes bytes) {
  if (!alive()) return;
  if (auto message = decode_message(bytes)) carry_out(node_->on_message(now(), id, std::move(*message)));
}

void SimTill::carry_out(Actions actions) {
  for (const Notice& notice : actions.notices) notices_.push_back(notice.text);
  if (actions.append) {
    later(kFlush, [this, batch = std::move(*actions.append)] {
      auto outcome = journal_->append(batch);
      later(Duration(1), [this, outcome] { carry_out(node_->on_appended(now(), outcome)); });
    });
  }
  if (actions.commit) {
    later(kCommit, [this, batch = std::move(actions.commit)] {
      auto outcome = store_->commit(*batch);
      later(Duration(1), [this, outcome] { carry_out(node_->on_committed(now(), outcome)); });
    });
  }
  for (const Actions::Send& send : actions.sends) world_.send(*this, send.to, send.message);
  for (PeerId peer : actions.hang_up) world_.hang_up(*this, peer);
  for (const auto& reply : actions.replies) {
    const auto asked = asked_.extract(reply.to.value);
    if (!asked) continue;
    reply.result ? receipts_.push_back({asked.mapped(), *reply.result}) : refusals_.push_back(reply.result.error());
  }
  for (const auto& reply : actions.level_replies) {
    if (auto waiting = waiting_.extract(reply.to.value)) waiting.mapped()(reply.result);
  }
  if (actions.roster_changed) roster_ = node_->roster();
  arm();
}

void SimTill::arm() {
  const Instant mine = now().mono;
  later(std::max<Duration>(node_->next_wake(now()) - mine, Duration::zero()), [this, token = ++wake_] {
    if (token == wake_) carry_out(node_->on_wake(now()));
  });
}

void SimTill::lose_everything(const TillState& but) {
  fs::remove_all(folder_ + "/db");
  disk_.restore({});
  auto store = TillStore::open(folder_ + "/db");
  StoreBatch batch;
  batch.state(but);
  if (!store || !(*store)->commit(batch)) std::abort();
}

SimTill::Backup SimTill::backup() {
  const std::string copy = folder_ + "/backup-" + std::to_string(++backups_);
  fs::copy(folder_ + "/db", copy, fs::copy_options::recursive);
  return {disk_.image(), copy};
}

void SimTill::restore(const Backup& backup) {
  fs::remove_all(folder_ + "/db");
  fs::copy(backup.database, folder_ + "/db", fs::copy_options::recursive);
  disk_.restore(backup.disk);
}

}  // namespace tillsync::sim
