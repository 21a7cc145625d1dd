#include "engine/till/cloud_resets.hpp"

#include "storage/base/mutants.hpp"

namespace tillsync {

CloudResets::CloudResets(const TillContext& context, const PeerTable& peers, CloudGeneration& generation,
                         HistoryAcks& acks, ReplicaBuffer& replicas, Uplink& uplink, PeerHealth& health)
    : context_(context),
      peers_(peers),
      generation_(generation),
      acks_(acks),
      replicas_(replicas),
      uplink_(uplink),
      health_(health) {}

void CloudResets::on_message(const Peer& from, const CloudReset& reset, Actions& out) {
  const auto& known = generation_.last_reset();
  if (known && known->generation == reset.generation) return;  // mostly; signatures take time
  const Member* cloud = context_.roster ? context_.roster->cloud() : nullptr;
  if (cloud == nullptr || !reset.valid(*PublicKey::from_bytes(cloud->key)))
    return health_.complain(from.name, "what the cloud is said to have said of a backup, and did not sign", out);
  if (!generation_.hear(reset, from.is_cloud())) return;
  for (const auto& [id, other] : peers_.all()) {
    if (id != from.id && other.role == Role::till) out.send(id, reset);
  }
}

void CloudResets::tell(const Peer& peer, Actions& out) const {
  if (peer.role == Role::till && generation_.last_reset()) out.send(peer.id, *generation_.last_reset());
}

void CloudResets::write(const Moment&, Checkpoint& into) {
  if (!generation_.form(into.batch) || mutated(Mutant::trust_old_word)) return;
  const bool relayed = !replicas_.chains().empty();
  const bool known = acks_.doubt_cloud(into.view);
  replicas_.doubt_cloud();
  uplink_.ask_again_all();
  if (known || relayed)
    into.out.warn("the cloud began anew, as after a restore from a backup: what it lacks is sent again");
}

}  // namespace tillsync
