#include "sim/world.hpp"

#include <algorithm>

#include "storage/checksum.hpp"

namespace tillsync::sim {

void World::after(Duration delay, std::function<void()> event) {
  events_.push({now_ + std::max(delay, Duration::zero()), order_++, std::move(event)});
}

bool World::step(Instant limit) {
  if (events_.empty() || events_.top().at > limit) return false;
  Event event = events_.top();
  events_.pop();
  now_ = event.at;
  trace_ = (trace_ ^ static_cast<std::uint64_t>(now_.since_boot.count()) ^ event.order) * 1099511628211ULL;
  event.run();
  return true;
}

void World::run_for(Duration time) {
  const Instant end = now_ + time;
  while (step(end)) {
  }
  now_ = end;
}

bool World::run_until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = now_ + limit;
  while (!condition()) {
    if (!step(end)) return condition();
  }
  return true;
}

void World::join(Endpoint& endpoint) {
  endpoints_.push_back(&endpoint);
  if (!std::exchange(dialling_, true)) dial_around();
}

void World::leave(Endpoint& endpoint) {
  std::erase(endpoints_, &endpoint);
  const auto links = links_;
  for (const auto& link : links) {
    for (int end : {0, 1}) {
      if (link->ends[end] != &endpoint || !link->up[end]) continue;
      link->up[end] = false;  // it can't be told any more
      const int other = 1 - end;
      if (link->up[other] && !is_cut(endpoint, *link->ends[other])) {
        after(faults_.latency, [this, link, other] { drop(link, other); });
      }
    }
  }
  std::erase_if(links_, [](const auto& link) { return !link->up[0] && !link->up[1]; });
}

void World::dial_around() {
  const auto all = endpoints_;
  for (Endpoint* a : all) {
    for (Endpoint* b : all) {
      if (a == b || !a->alive() || !b->alive() || !a->wants(*b) || is_cut(*a, *b) || is_cut(*b, *a)) continue;
      const bool linked = std::any_of(links_.begin(), links_.end(), [&](const auto& l) {
        return (l->ends[0] == a && l->ends[1] == b && l->up[0] && l->up[1]) ||
               (l->ends[0] == b && l->ends[1] == a && l->up[0] && l->up[1]);
      });
      if (!linked) link_up(*a, *b);
    }
  }
  after(kRedial + Duration(random_.below(100'000'000)), [this] { dial_around(); });
}

void World::link_up(Endpoint& a, Endpoint& b) {
  auto link = std::make_shared<Link>();
  link->ends[0] = &a, link->ends[1] = &b;
  for (int end : {0, 1}) {
    link->ids[end] = PeerId{next_id_++};
    link->heard[end] = link->last_arrival[end] = now_;
  }
  links_.push_back(link);
  watch(link);
  a.on_up(link->ids[0], b);
  if (link->up[1] && b.alive()) b.on_up(link->ids[1], a);
}

std::shared_ptr<World::Link> World::find(const Endpoint& end, PeerId id, int& which) const {
  for (const auto& link : links_) {
    for (int e : {0, 1}) {
      if (link->ends[e] == &end && link->ids[e] == id && link->up[e]) return which = e, link;
    }
  }
  return nullptr;
}

void World::send(Endpoint& from, PeerId id, const Message& message) {
  int end = 0;
  const auto link = find(from, id, end);
  if (!link) return;
  ++messages_;
  Bytes bytes = encode(message);
  trace_ ^= checksum(bytes);
  if (faults_.reset_per_million > 0 && random_.below(1'000'000) < faults_.reset_per_million) return close(link);
  if (is_cut(from, *link->ends[1 - end]) || !link->stalled[end].empty())
    return link->stalled[end].push_back(std::move(bytes));
  transmit(link, end, std::move(bytes));
}

void World::transmit(std::shared_ptr<Link> link, int from, Bytes bytes) {
  const Duration flight =
      faults_.latency + Duration(random_.below(static_cast<std::uint64_t>(faults_.jitter.count()) + 1));
  link->last_arrival[from] = std::max(link->last_arrival[from], now_ + flight);
  after(link->last_arrival[from] - now_, [this, link, from, bytes = std::move(bytes)]() mutable {
    const int to = 1 - from;
    if (!link->up[to]) return;
    if (is_cut(*link->ends[from], *link->ends[to])) return link->stalled[from].push_back(std::move(bytes));
    link->heard[to] = now_;
    link->ends[to]->on_bytes(link->ids[to], std::move(bytes));
  });
}

// Each end gives a silent connection up by itself.
void World::watch(std::shared_ptr<Link> link) {
  for (int end : {0, 1}) {
    if (link->up[end] && now_ - link->heard[end] >= kSilence) drop(link, end);
  }
  if (link->up[0] || link->up[1]) after(seconds(1), [this, link] { watch(link); });
}

void World::drop(const std::shared_ptr<Link>& link, int end) {
  if (!std::exchange(link->up[end], false)) return;
  Endpoint& here = *link->ends[end];
  const int other = 1 - end;
  if (link->up[other] && !is_cut(here, *link->ends[other])) {
    after(faults_.latency, [this, link, other] { drop(link, other); });
  }
  std::erase_if(links_, [](const auto& l) { return !l->up[0] && !l->up[1]; });
  here.on_down(link->ids[end]);
}

void World::close(const std::shared_ptr<Link>& link) {
  for (int end : {0, 1}) after(Duration::zero(), [this, link, end] { drop(link, end); });
}

void World::hang_up(Endpoint& from, PeerId id) {
  int end = 0;
  if (auto link = find(from, id, end)) close(link);
}

void World::cut(const std::string& from, const std::string& to) { cuts_.insert({from, to}); }

void World::mend(const std::string& from, const std::string& to) {
  cuts_.erase({from, to});
  const auto links = links_;
  for (const auto& link : links) {
    for (int end : {0, 1}) {
      if (link->ends[end]->name() != from || link->ends[1 - end]->name() != to) continue;
      for (Bytes& bytes : std::exchange(link->stalled[end], {})) transmit(link, end, std::move(bytes));
    }
  }
}

void World::cut_off(const std::string& name) {
  for (Endpoint* other : endpoints_) {
    if (other->name() == name) continue;
    cut(name, other->name()), cut(other->name(), name);
  }
}

void World::mend_all() {
  const auto cuts = cuts_;
  for (const auto& [from, to] : cuts) mend(from, to);
}

}  // namespace tillsync::sim
