#include "sim/world/network.hpp"

#include <algorithm>

#include "sim/world/describe.hpp"
#include "storage/base/checksum.hpp"

namespace tillsync::sim {

namespace {
constexpr std::size_t kSegmentBytes = 1400;
constexpr Duration kRetransmit = milliseconds(200);  // the least that Linux waits; it doubles
constexpr int kMaxRetransmits = 5;
constexpr Duration kOvertaken = milliseconds(30);  // until the packet that was overtaken is there
}  // namespace

void Network::join(Endpoint& endpoint) {
  endpoints_.push_back(&endpoint);
  if (!std::exchange(dialling_, true)) dial_around();
}

void Network::leave(Endpoint& endpoint) {
  std::erase(endpoints_, &endpoint);
  const auto links = links_;
  for (const auto& link : links) {
    for (int end : {0, 1}) {
      if (link->ends[end] != &endpoint || !link->up[end]) continue;
      link->up[end] = false;  // it can't be told any more
      const int other = 1 - end;
      if (link->up[other] && !cut_between(endpoint, *link->ends[other])) {
        world_.after(line_.delay, [this, link, other] { drop(link, other); });
      }
    }
  }
  std::erase_if(links_, [](const auto& link) { return !link->up[0] && !link->up[1]; });
}

void Network::dial_around() {
  const auto all = endpoints_;
  for (Endpoint* a : all) {
    for (Endpoint* b : all) {
      const bool linked = std::any_of(links_.begin(), links_.end(), [&](const auto& l) {
        const bool these = (l->ends[0] == a && l->ends[1] == b) || (l->ends[0] == b && l->ends[1] == a);
        return these && l->up[0] && l->up[1];
      });
      if (linked || a == b || !a->responds() || !b->responds()) continue;
      const bool can = a->wants(*b) && a->accepts(*b) && b->accepts(*a);
      if (can && !cut_between(*a, *b) && !cut_between(*b, *a)) link_up(*a, *b);
    }
  }
  world_.after(kRedial + Duration(world_.random().below(100'000'000)), [this] { dial_around(); });
}

void Network::link_up(Endpoint& a, Endpoint& b) {
  auto link = std::make_shared<Link>();
  link->ends[0] = &a, link->ends[1] = &b;
  for (int end : {0, 1}) {
    link->ids[end] = PeerId{next_id_++};
    link->heard[end] = link->last_arrival[end] = link->free_at[end] = world_.now();
  }
  links_.push_back(link);
  watch(link);
  world_.trace([&] { return a.label() + " - " + b.label() + " connected"; });
  a.on_up(link->ids[0], b);
  if (link->up[1] && b.responds()) b.on_up(link->ids[1], a);
}

std::shared_ptr<Network::Link> Network::find(const Endpoint& end, PeerId id, int& which) const {
  for (const auto& link : links_) {
    for (int e : {0, 1}) {
      if (link->ends[e] == &end && link->ids[e] == id && link->up[e]) return which = e, link;
    }
  }
  return nullptr;
}

bool Network::chance(double probability) {
  return probability > 0 && world_.random().below(1'000'000) < static_cast<std::uint64_t>(probability * 1'000'000);
}

void Network::send(Endpoint& from, PeerId id, Bytes bytes) {
  int end = 0;
  const auto link = find(from, id, end);
  if (!link) return;
  ++messages_;
  world_.mix(checksum(bytes));
  const Endpoint& to = *link->ends[1 - end];
  world_.trace([&] { return from.label() + " > " + to.label() + " " + describe(bytes); });
  const std::uint64_t resets = line_between(from.label(), to.label()).resets_per_million;
  if (resets > 0 && world_.random().below(1'000'000) < resets) return close(link);
  in_flight_ += bytes.size();
  if (cut_between(from, to) || !link->stalled[end].empty()) return link->stalled[end].push_back(std::move(bytes));
  transmit(link, end, std::move(bytes));
}

Duration Network::flight_time(const Link& link, int from, std::size_t bytes, Instant& free_at) {
  const Line& line = line_between(link.ends[0]->label(), link.ends[1]->label());
  Duration flight = line.delay + Duration(world_.random().below(static_cast<std::uint64_t>(line.jitter.count()) + 1));
  if (line.bits_per_second > 0) {
    const auto sending =
        Duration(static_cast<std::int64_t>(bytes) * 8'000'000'000 / static_cast<std::int64_t>(line.bits_per_second));
    free_at = std::max(link.free_at[from], world_.now()) + sending;
    flight += free_at - world_.now();
  }
  for (std::size_t sent = 0; sent < bytes && (line.loss > 0 || line.reorder > 0); sent += kSegmentBytes) {
    Duration wait = kRetransmit;
    for (int i = 0; i < kMaxRetransmits && chance(line.loss); ++i, wait *= 2) flight += wait;
    if (chance(line.reorder)) flight += kOvertaken;
  }
  return flight;
}

void Network::transmit(const std::shared_ptr<Link>& link, int from, Bytes bytes) {
  const Instant arrival = world_.now() + flight_time(*link, from, bytes.size(), link->free_at[from]);
  link->last_arrival[from] = std::max(link->last_arrival[from], arrival);
  world_.after(link->last_arrival[from] - world_.now(), [this, link, from, bytes = std::move(bytes)]() mutable {
    const int to = 1 - from;
    if (link->up[to] && cut_between(*link->ends[from], *link->ends[to])) {
      return link->stalled[from].push_back(std::move(bytes));
    }
    in_flight_ -= bytes.size();
    if (!link->up[to]) return;
    link->heard[to] = world_.now();
    link->ends[to]->on_bytes(link->ids[to], std::move(bytes));
  });
}

// Each end gives a silent connection up by itself.
void Network::watch(const std::shared_ptr<Link>& link) {
  for (int end : {0, 1}) {
    if (link->up[end] && world_.now() - link->heard[end] >= kSilence && link->ends[end]->responds()) drop(link, end);
  }
  if (link->up[0] || link->up[1]) world_.after(seconds(1), [this, link] { watch(link); });
}

void Network::drop(const std::shared_ptr<Link>& link, int end) {
  if (!std::exchange(link->up[end], false)) return;
  Endpoint& here = *link->ends[end];
  const int other = 1 - end;
  if (link->up[other] && !cut_between(here, *link->ends[other])) {
    world_.after(line_.delay, [this, link, other] { drop(link, other); });
  }
  for (const Bytes& bytes : std::exchange(link->stalled[other], {})) in_flight_ -= bytes.size();
  std::erase_if(links_, [](const auto& l) { return !l->up[0] && !l->up[1]; });
  world_.trace([&] { return here.label() + " lost " + link->ends[other]->label(); });
  here.on_down(link->ids[end]);
}

void Network::close(const std::shared_ptr<Link>& link) {
  for (int end : {0, 1}) world_.after(Duration::zero(), [this, link, end] { drop(link, end); });
}

void Network::hang_up(Endpoint& from, PeerId id) {
  int end = 0;
  if (auto link = find(from, id, end)) close(link);
}

void Network::cut(const std::string& from, const std::string& to) {
  if (from != to) cuts_.insert({from, to});
}

void Network::mend(const std::string& from, const std::string& to) {
  if (cuts_.erase({from, to}) == 0) return;
  const auto links = links_;
  for (const auto& link : links) {
    for (int end : {0, 1}) {
      if (link->ends[end]->label() != from || link->ends[1 - end]->label() != to) continue;
      for (Bytes& bytes : std::exchange(link->stalled[end], {})) transmit(link, end, std::move(bytes));
    }
  }
}

void Network::cut_off(const std::string& label) {
  for (Endpoint* other : endpoints_) {
    if (other->label() == label) continue;
    cut(label, other->label()), cut(other->label(), label);
  }
}

void Network::mend_all() {
  const auto cuts = cuts_;
  for (const auto& [from, to] : cuts) mend(from, to);
}

void Network::set_line(const std::string& a, const std::string& b, const Line& line) {
  lines_[std::minmax(a, b)] = line;
}

const Line& Network::line_between(const std::string& a, const std::string& b) const {
  if (lines_.empty()) return line_;
  const auto it = lines_.find(std::minmax(a, b));
  return it == lines_.end() ? line_ : it->second;
}

}  // namespace tillsync::sim
