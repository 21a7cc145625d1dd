#include "sim/scenario/player.hpp"

#include <algorithm>
#include <cstdlib>

#include "storage/base/pack.hpp"

namespace tillsync::sim {

namespace {
constexpr std::size_t kMaxAsked = 20;
constexpr auto kNewKind = static_cast<OpKind>(99);
}  // namespace

void Player::carry_out(const Step& written) {
  std::string line = scenario_.line_of(written);
  Step step = written;  // with the names that "host", "all" and "rest" mean at this moment
  step.who = resolve(written.who, written.whom);
  step.whom = resolve(written.whom, written.who);
  if (step.verb >= Verb::expect_host) {
    expect(step, line);
    return log_.push_back(line);
  }
  bool done = true;
  switch (step.verb) {
    case Verb::cut:
    case Verb::cut_one_way:
      cut(step, step.verb == Verb::cut);
      break;
    case Verb::mend:
      mend(step);
      break;
    case Verb::delay:
    case Verb::jitter:
    case Verb::loss:
    case Verb::reorder:
    case Verb::bandwidth:
    case Verb::resets:
      change_line(step, false);
      break;
    case Verb::price:
    case Verb::drop_price:
      done = fleet_.cloud().alive();
      if (done) set_price(step, step.verb == Verb::drop_price);
      break;
    default:
      done = false;
      for (const std::string& who : step.who) done = carry_out_one(step, who) || done;
  }
  if (step.verb > Verb::sell_unknown) log_.push_back(line + (done ? "" : "  (not possible just now)"));
  if (done && step.lasting) fleet_.world().after(*step.lasting, [this, step] { undo(step); });
}

bool Player::carry_out_one(const Step& step, const std::string& who) {
  if (who == "cloud") {
    SimCloud& cloud = fleet_.cloud();
    if (step.verb == Verb::backup) return cloud.alive() && (cloud.backup(), true);
    if (step.verb == Verb::restore) return restore_cloud();
    const bool goes = step.verb == Verb::crash || step.verb == Verb::power_cut || step.verb == Verb::restart;
    if ((goes && !cloud.alive()) || (step.verb == Verb::start && cloud.alive())) return false;
    if (goes) cloud.crash();
    if (step.verb == Verb::start || step.verb == Verb::restart) cloud.start();
    return goes || step.verb == Verb::start;
  }
  SimTill* till = fleet_.find(who);
  if (till == nullptr) return false;
  if (step.verb <= Verb::sell_unknown) return record(step, *till);
  return machine(step.verb, step, *till);
}

// What the cloud alone has, of tills that lost it since, is gone then; so all disks must be there to be asked.
bool Player::restore_cloud() {
  if (!fleet_.cloud().has_backup() || !all_alive()) return false;
  const auto gone = fleet_.only_in_cloud();
  fleet_.cloud().restore();
  rules_.cloud_went_back(gone);
  return true;
}

bool Player::record(const Step& step, SimTill& till) {
  if (!till.responds()) return false;
  constexpr OpKind kinds[] = {OpKind::sale, OpKind::refund, OpKind::restock, OpKind::count, kNewKind};
  OpDraft draft{
      .kind = kinds[static_cast<int>(step.verb)], .key = {}, .cashier = "cashier-" + till.label(), .document = {}};
  draft.key = step.key.empty() ? "op/" + std::to_string(++sold_) : step.key;
  if (step.who.size() > 1 && step.key.empty()) draft.key += "/" + till.label();
  draft.document.lines.push_back({step.word, Quantity{step.number == 0 ? 1000 : step.number}, 350, {}});
  if (draft.kind == kNewKind) draft.document = {}, draft.custom_body = "what a later release says of " + step.word;
  const std::string key = draft.key;
  till.record(draft);
  if (asked_ >= kMaxAsked || key.size() % 2 == 0) return true;
  ++asked_;
  till.wait(key, key.back() % 2 == 0 ? Level::two_disks : Level::cloud, seconds(20),
            [this](const Result<Level>&) { --asked_; });
  return true;
}

bool Player::settle(SimTill& till, std::size_t n) {
  std::vector<Conflict> waiting = till.node().conflicts();
  std::erase_if(waiting, [](const Conflict& c) { return !c.waits(); });
  if (waiting.empty()) return false;
  const Conflict& about = waiting[n % waiting.size()];
  const StockNow stock = [&](const std::string& sku) { return till.node().stock(sku); };
  const auto choices = choices_for(about, stock);
  auto word = resolution(about, stock, {choices[n % choices.size()].name, "clerk-" + till.label(), "said so"});
  if (word) till.record(*word);
  return word.has_value();
}

bool Player::machine(Verb verb, const Step& step, SimTill& till) {
  switch (verb) {
    case Verb::edit: {
      if (!till.responds()) return false;
      OpDraft draft = till.node().draft_edit("product", step.word, {{"price", pack(step.number)}}, false);
      draft.key = "op/" + std::to_string(++sold_) + "/" + till.label();
      draft.cashier = "cashier-" + till.label();
      return till.record(draft), true;
    }
    case Verb::settle:
      return till.responds() && settle(till, static_cast<std::size_t>(step.number));
    case Verb::crash:
    case Verb::power_cut:
      return till.alive() && (till.crash(verb == Verb::power_cut), true);
    case Verb::start:
      return !till.alive() && (till.start(), true);
    case Verb::restart:
      if (till.alive()) till.crash(false);
      return till.start(), true;
    case Verb::suspend:
      return till.responds() && (till.suspend(), true);
    case Verb::disk_full:
    case Verb::disk_free:
      return till.disk().set_full(verb == Verb::disk_full), true;
    case Verb::clock:
      rules_.misfortunes().clock_was_set();
      return till.clock().offset_ms = step.number * 1000, true;
    case Verb::drift:
      return till.clock().drift_ppm = step.number, true;
    case Verb::newer:
      return till.speak_newer(), true;
    case Verb::expel:
      return fleet_.is_member(till) && (fleet_.expel(till), true);
    case Verb::hand_over: {
      SimTill* host = fleet_.host(fleet_.branch_of(till));
      return host != nullptr && host != &till && (host->hand_over(till.who().till), true);
    }
    case Verb::set:
      return till.responds() && (till.command(step.word, step.number), true);
    case Verb::fitness:
      return till.set_fitness(static_cast<std::uint32_t>(step.number)), true;
    case Verb::forge:
      forgers_.push_back(std::make_unique<Forger>(fleet_.world(), fleet_.network(), till.who()));
      return true;
    default:
      return go_back_in_time(step, till);
  }
}

bool Player::all_alive() const {
  return fleet_.cloud().alive() &&
         std::all_of(fleet_.tills().begin(), fleet_.tills().end(), [](const auto& till) { return till->responds(); });
}

// What lies on this disk alone is gone then, and no engine can bring it back; so all disks must be there to be asked.
bool Player::go_back_in_time(const Step& step, SimTill& till) {
  const auto backup = backups_.find(till.label());
  if (!all_alive() || (step.verb == Verb::restore && backup == backups_.end())) return false;
  if (step.verb == Verb::restore || step.verb == Verb::rot) rules_.misfortunes().till_went_back(fleet_.only_on(till));
  till.crash(false);
  if (step.verb == Verb::backup) backups_.insert_or_assign(till.label(), till.backup());
  if (step.verb == Verb::restore) till.restore(backup->second);
  if (step.verb == Verb::rot) {
    for (const auto& [path, size] : till.disk().used()) {
      till.disk().rot(path, size * static_cast<std::uint64_t>(step.number) / 1000);
    }
  }
  if (step.verb == Verb::clone) {
    rules_.misfortunes().till_was_cloned();
    fleet_.clone(till, step.word).start();
  }
  till.start();
  return true;
}

void Player::undo(const Step& step) {
  Step back = step;
  back.lasting.reset();
  switch (step.verb) {
    case Verb::crash:
    case Verb::power_cut:
      back.verb = Verb::start;
      break;
    case Verb::disk_full:
      back.verb = Verb::disk_free;
      break;
    case Verb::clock:
      back.number = 0;
      break;
    case Verb::suspend:
      for (const std::string& who : step.who) {
        if (SimTill* till = fleet_.find(who)) till->resume();
      }
      return;
    case Verb::forge:
      for (auto& forger : forgers_) forger->go();
      return;
    case Verb::cut:
    case Verb::cut_one_way:
      return mend(step);
    default:
      return change_line(step, true);
  }
  for (const std::string& who : back.who) carry_out_one(back, who);
}

void Player::cut(const Step& step, bool both_ways) {
  for (const std::string& a : step.who) {
    for (const std::string& b : step.whom) {
      fleet_.network().cut(a, b);
      if (both_ways) fleet_.network().cut(b, a);
    }
  }
}

void Player::mend(const Step& step) {
  for (const std::string& a : step.who) {
    for (const std::string& b : step.whom) fleet_.network().mend(a, b), fleet_.network().mend(b, a);
  }
}

void Player::change_line(const Step& step, bool back) {
  for (const std::string& a : step.who) {
    for (const std::string& b : step.whom) {
      if (a == b) continue;
      Line line = fleet_.network().line_between(a, b);
      const Line& usual = scenario_.line;
      const double share = static_cast<double>(step.number) / 100'000;  // thousandths of a percent
      const auto amount = static_cast<std::uint64_t>(step.number);
      if (step.verb == Verb::delay) line.delay = back ? usual.delay : milliseconds(step.number);
      if (step.verb == Verb::jitter) line.jitter = back ? usual.jitter : milliseconds(step.number);
      if (step.verb == Verb::loss) line.loss = back ? usual.loss : share;
      if (step.verb == Verb::reorder) line.reorder = back ? usual.reorder : share;
      if (step.verb == Verb::bandwidth) line.bits_per_second = back ? usual.bits_per_second : amount * 1000;
      if (step.verb == Verb::resets) line.resets_per_million = back ? usual.resets_per_million : amount;
      fleet_.network().set_line(a, b, line);
    }
  }
}

void Player::set_price(const Step& step, bool deleted) {
  CloudRow row{{"tenant", "product"}, step.word, deleted, {}};
  Packer fields(row.fields);
  fields.map(1);
  fields.text("price");
  fields.sint(step.number);
  fleet_.cloud().put_row(fleet_.shop(), row);
}

void Player::heal() {
  log_.push_back("everything is healed");
  for (auto& forger : forgers_) forger->go();
  fleet_.network().forget_lines();
  Line& line = fleet_.network().line();
  line.resets_per_million = 0, line.loss = 0, line.reorder = 0, line.bits_per_second = 0;
  fleet_.network().mend_all();
  if (!fleet_.cloud().alive()) fleet_.cloud().start();
  for (const auto& till : fleet_.tills()) {
    till->disk().set_full(false);
    till->clock().offset_ms = 0;
    till->resume();
    if (!till->alive()) till->start();
  }
}

// "host", "rest" (whoever is not in `others`) and "all" (tills) become names.
std::vector<std::string> Player::resolve(const std::vector<std::string>& names,
                                         const std::vector<std::string>& others) const {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if (name == "host") {
      if (const SimTill* host = fleet_.host()) out.push_back(host->label());
    } else if (name == "all" || name == "rest") {
      const auto taken = name == "rest" ? resolve(others, {}) : std::vector<std::string>{};
      for (const auto& till : fleet_.tills()) {
        if (std::find(taken.begin(), taken.end(), till->label()) == taken.end()) out.push_back(till->label());
      }
      if (name == "rest" && std::find(taken.begin(), taken.end(), "cloud") == taken.end()) out.emplace_back("cloud");
    } else {
      out.push_back(name);
    }
  }
  return out;
}

}  // namespace tillsync::sim
