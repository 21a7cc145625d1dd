// A record that the cloud owns (product, price, tax, promotion, customer, stock ...), with the version it got when last
// changed. Fields are a MessagePack map from name to value and opaque to the sync; unknown kinds are kept and passed
// on.
#pragma once

#include <string>
#include <tillsync/bytes.hpp>
#include <tillsync/ids.hpp>

namespace tillsync {

// A stream of changed rows of one kind that a branch may subscribe to: "tenant" or "branch/<name>".
struct FeedKind {
  std::string feed;
  std::string kind;
  auto operator<=>(const FeedKind&) const = default;
};

struct Row {
  std::string id;
  RowVersion version;
  bool deleted = false;
  Bytes fields;
  bool operator==(const Row&) const = default;
};

// How far a reader has got. A cloud restored from a backup opens a new generation, so that nobody trusts its lost
// future.
struct RowWatermark {
  std::uint64_t generation{};
  RowVersion version;
  auto operator<=>(const RowWatermark&) const = default;
};

}  // namespace tillsync
