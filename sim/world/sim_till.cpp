#include "sim/world/sim_till.hpp"

#include <cstdlib>
#include <filesystem>

namespace tillsync::sim {

namespace {

constexpr std::size_t kChecked = 1024;  // bytes: all but the messages that carry ops and rows
// So small that a shop of some dozen sales comes to the end of segments and of the room in them.
constexpr JournalSizes kSizes{.segment = 8 << 10, .least_room = 512};
constexpr Duration kFlush = std::chrono::microseconds(200), kCommit = milliseconds(3);
constexpr Duration kHouse = seconds(1);
namespace fs = std::filesystem;

// A field more at the end of the body, as a later release would write it.
Bytes with_a_new_field(Bytes message) {
  const auto header = static_cast<std::uint8_t>(message[2]);  // [type, body]: both short
  if ((header & 0xf0) != 0x90 || (header & 0x0f) == 0x0f) return message;
  message[2] = static_cast<char>(header + 1);
  message += static_cast<char>(0xc0);
  return message;
}

}  // namespace

SimTill::SimTill(World& world, Network& network, Observer& observer, Identity identity, std::string label,
                 std::optional<Roster> roster, std::string folder, Duration keep)
    : world_(world),
      network_(network),
      observer_(observer),
      identity_(std::move(identity)),
      label_(std::move(label)),
      roster_(std::move(roster)),
      folder_(std::move(folder) + "/" + label_),
      keep_(keep),
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
  auto started = TillFiles::start(disk_, {.database = folder_ + "/db", .journal = "journal", .sizes = kSizes});
  if (!started) {  // as the program would end: one clear sentence, nothing changed
    notices_.push_back(started.error().message);
    return;
  }
  files_ = std::move(started->files);
  TillCoreConfig config{identity_.branch, identity_.till, identity_.key, roster_, true};
  if (keep_ > Duration::zero()) config.keep_ops = config.keep_journal = keep_;
  node_ = std::make_unique<TillCore>(std::move(config), files_->store(), std::move(started->recovered),
                                     Random(world_.random().next()), now());
  world_.trace([&] { return label_ + " starts"; });
  network_.join(*this);
  carry_out(node_->on_start(now()));
  if (fitness_ != 0) carry_out(node_->on_fitness(now(), fitness_));
  if (keep_ > Duration::zero()) later(kHouse, [this] { maintain(); });  // else a week: no run is that long
}

void SimTill::crash(bool power_cut) {
  world_.trace([&] { return label_ + (power_cut ? " loses power" : " crashes"); });
  network_.leave(*this);
  ++life_;
  suspended_ = false;
  armed_.reset();
  backlog_.clear();
  node_.reset();
  files_.reset();
  asked_.clear();
  waiting_.clear();
  if (power_cut) disk_.power_cut();
}

void SimTill::suspend() { suspended_ = alive(); }

void SimTill::resume() {
  if (!std::exchange(suspended_, false)) return;
  const std::uint64_t life = life_;
  for (auto& work : std::exchange(backlog_, {})) {
    if (life == life_) work();
  }
}

void SimTill::when_awake(std::function<void()> work) {
  if (suspended_) return backlog_.push_back(std::move(work));
  if (node_) work();
}

void SimTill::later(Duration delay, std::function<void()> work) {
  world_.after(delay, [this, life = life_, work = std::move(work)]() mutable {
    if (life == life_) when_awake(std::move(work));
  });
}

void SimTill::record(const OpDraft& draft) {
  if (!responds()) return;
  const ReplyTo to{next_reply_++};
  asked_[to.value] = draft.key;
  carry_out(node_->on_record(now(), to, draft));
}

void SimTill::wait(const std::string& key, Level level, Duration limit, std::function<void(Result<Level>)> done) {
  if (!responds()) return;
  const ReplyTo to{next_reply_++};
  waiting_[to.value] = {key, std::move(done)};
  carry_out(node_->on_wait(now(), to, key, level, limit));
}

void SimTill::adopt(const Roster& roster) {
  roster_ = roster;
  if (responds()) carry_out(node_->on_roster(now(), roster));
}

void SimTill::hand_over(const TillId& successor) {
  if (responds()) carry_out(node_->on_step_down(now(), successor));
}

void SimTill::command(const std::string& setting, std::int64_t value) {
  carry_out(node_->on_command(now(), ReplyTo{next_reply_++}, setting, pack(value)));
}

void SimTill::set_fitness(std::uint32_t fitness) {
  fitness_ = fitness;
  if (responds()) carry_out(node_->on_fitness(now(), fitness));
}

bool SimTill::wants(const Endpoint& other) const {
  return other.label() == "cloud" ? node_->wants_cloud(now()) : identity_.till < other.identity();
}

// What the channel's handshake would say: both hold keys of the roster.
bool SimTill::accepts(const Endpoint& other) const {
  return !node_->roster() || node_->roster()->find(other.identity()) != nullptr;
}

void SimTill::on_up(PeerId id, Endpoint& other) {
  const bool is_cloud = other.label() == "cloud";
  if (is_cloud) cloud_ = id;
  carry_out(node_->on_peer_up(now(), id, other.identity(), is_cloud ? Role::cloud : Role::till));
}

void SimTill::on_down(PeerId id) {
  when_awake([this, id] { carry_out(node_->on_peer_down(now(), id)); });
}

void SimTill::on_bytes(PeerId id, Bytes bytes) {
  when_awake([this, id, bytes = std::move(bytes)] {
    if (id == cloud_) observer_.on_word_of_cloud(*this);
    auto message = decode_message(bytes);
    carry_out(message ? node_->on_message(now(), id, std::move(*message)) : node_->on_unreadable(now(), id));
  });
}

void SimTill::append(const std::vector<Bytes>& batch) {
  auto outcome = files_->journal().append(batch);
  if (outcome && disk_.all_flushed()) observer_.on_flushed(*this, batch);
  later(Duration(1), [this, outcome] { carry_out(node_->on_appended(now(), outcome)); });
}

void SimTill::carry_out(Actions actions) {
  for (const Notice& notice : actions.notices) {
    notices_.push_back(notice.text);
    world_.trace([&] { return label_ + " says: " + notice.text; });
  }
  if (actions.append) {
    later(kFlush, [this, batch = std::move(*actions.append)] { append(batch); });
  }
  if (actions.commit) {
    later(kCommit, [this, batch = std::move(actions.commit)] {
      auto outcome = files_->store().commit(*batch);
      ++commits_;
      later(Duration(1), [this, outcome] { carry_out(node_->on_committed(now(), outcome)); });
    });
  }
  for (const Actions::Send& each : actions.sends) send(each.to, each.message);
  for (PeerId peer : actions.hang_up) network_.hang_up(*this, peer);
  for (const auto& reply : actions.replies) {
    const auto asked = asked_.extract(reply.to.value);
    if (!asked) continue;
    if (!reply.result) {
      refusals_.push_back(reply.result.error());
      continue;
    }
    receipts_.push_back({asked.mapped(), *reply.result});
    world_.trace([&] { return label_ + " receipt for " + asked.mapped(); });
    observer_.on_receipt(*this, receipts_.back());
  }
  for (const auto& reply : actions.level_replies) {
    auto waiting = waiting_.extract(reply.to.value);
    if (!waiting) continue;
    if (reply.result) observer_.on_level(*this, waiting.mapped().key, *reply.result);
    if (waiting.mapped().done) waiting.mapped().done(reply.result);
  }
  if (actions.roster_changed) roster_ = node_->roster();
  arm();
}

// Old segments of the journal go, as the program lets them go every ten minutes.
void SimTill::maintain() {
  if (const auto segments = files_->segments()) files_->retire(TillFiles::retirement(*node_, *segments, now()));
  later(std::max(kHouse, keep_ / 10), [this] { maintain(); });
}

void SimTill::send(PeerId to, const Message& message) {
  Bytes bytes = encode(message);
  if (bytes.size() < kChecked && !decode_message(bytes)) observer_.on_unreadable(*this, bytes);
  if (!newer_) return network_.send(*this, to, std::move(bytes));
  network_.send(*this, to, with_a_new_field(std::move(bytes)));
  if (std::holds_alternative<Ping>(message)) network_.send(*this, to, Bytes("\x92\xcc\xc8\x91\x01"));  // type 200
}

void SimTill::arm() {
  const Instant mine = now().mono;
  const Instant at = std::max(node_->next_wake(now()), mine);
  if (armed_ && *armed_ <= at && *armed_ >= mine) return;  // it will look again then
  armed_ = at;
  later(at - mine, [this, token = ++wake_] {
    if (token != wake_) return;
    ++woke_;
    armed_.reset();
    carry_out(node_->on_wake(now()));
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
  fs::create_directories(folder_);
  fs::remove_all(folder_ + "/db");
  fs::copy(backup.database, folder_ + "/db", fs::copy_options::recursive);
  disk_.restore(backup.disk);
}

}  // namespace tillsync::sim
