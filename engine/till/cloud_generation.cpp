#include "engine/till/cloud_generation.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {
constexpr char kGenerationOfRows[] = "generation", kResetMeta[] = "began_anew", kLeftMeta[] = "left_generations";

template <class T>
std::optional<T> read(TillView& view, const char* name) {
  const auto meta = view.meta(name);
  return meta ? unpack<T>(*meta) : std::nullopt;
}
}  // namespace

CloudGeneration::CloudGeneration(TillView view)
    : value_(read<std::uint64_t>(view, kGenerationOfRows).value_or(0)),
      reset_(read<CloudReset>(view, kResetMeta)),
      left_(read<std::vector<std::uint64_t>>(view, kLeftMeta).value_or(std::vector<std::uint64_t>{})) {}

bool CloudGeneration::left(std::uint64_t generation) const {
  return std::ranges::find(left_, generation) != left_.end();
}

void CloudGeneration::leave(std::uint64_t generation) {
  std::erase(left_, generation);
  left_.push_back(generation);
  if (left_.size() > kMostLeft) left_.erase(left_.begin());
}

// Who does not know the generation of a cloud that began anew has not heard that it did.
bool CloudGeneration::is_old(std::uint64_t generation) const {
  if (generation == 0) return reset_.has_value();
  return newest() != 0 && generation != newest();
}

bool CloudGeneration::hear(const CloudReset& reset, bool by_cloud) {
  if (reset_ && reset_->generation == reset.generation) return false;
  const bool older = left(reset.generation) || (reset_ && reset.wall_ms <= reset_->wall_ms);
  if (older && !by_cloud) return false;
  reset_ = reset;
  for (const std::uint64_t each : reset.left) leave(each);
  if (newest() != 0 && newest() != reset.generation) leave(newest());
  std::erase(left_, reset.generation);
  heard_ = reset.generation;
  return true;
}

// Those of a host that is behind may be of one that is over.
void CloudGeneration::on_rows(std::uint64_t generation) {
  if (generation != newest() && !left(generation)) heard_ = generation;
}

bool CloudGeneration::form(StoreBatch& batch) {
  if (!heard_) return false;
  const std::uint64_t before = std::exchange(value_, *std::exchange(heard_, {}));
  batch.meta(kGenerationOfRows, pack(value_));
  if (reset_) batch.meta(kResetMeta, pack(*reset_));
  batch.meta(kLeftMeta, pack(left_));
  return value_ != before && (before != 0 || reset_);  // the first rows of a cloud that never went back are no news
}

}  // namespace tillsync
