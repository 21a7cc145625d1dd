#include "conflicts/kinds.hpp"

namespace tillsync {

namespace {
std::string place(const ChainId& chain, Seq seq) {
  return chain.till.text + "/" + std::to_string(chain.incarnation.value) + "/" + std::to_string(seq.value);
}
}  // namespace

CloudConflict forked_history(const ChainId& chain, Seq held, std::int64_t now_ms) {
  return {"fork/" + place(chain, held), "forked_history",
          "till " + chain.till.text + " pushed a history that differs from the one held after op " +
              std::to_string(held.value) + ": a restored backup or a cloned disk",
          now_ms, true};
}

CloudConflict new_incarnation(const ChainId& chain, std::int64_t now_ms) {
  return {"fork/" + place(chain, {}), "forked_history",
          "till " + chain.till.text +
              " went on under a new history after a restored backup, a cloned disk or a damaged "
              "journal; both histories are kept",
          now_ms, true};
}

CloudConflict duplicate_key(const std::string& key, const ChainId& first, Seq first_seq, const ChainId& second,
                            Seq second_seq, std::int64_t now_ms) {
  return {"key/" + place(second, second_seq), "duplicate_key",
          "the key '" + key + "' names two different ops: " + place(first, first_seq) + " and " +
              place(second, second_seq) + "; the second has no effect until someone decides",
          now_ms, true};
}

}  // namespace tillsync
