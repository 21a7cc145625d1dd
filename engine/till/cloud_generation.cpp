#include "engine/till/cloud_generation.hpp"

#include <algorithm>
#include <utility>

#include "storage/base/pack.hpp"

namespace tillsync {

namespace {
constexpr char kGenerationOfRows[] = "generation", kWordMeta[] = "began_anew", kLeftMeta[] = "left_generations";

template <class T>
std::optional<T> read(TillView& view, const char* name) {
  const auto meta = view.meta(name);
  return meta ? unpack<T>(*meta) : std::nullopt;
}
}  // namespace

CloudGeneration::CloudGeneration(TillView view)
    : value_(read<std::uint64_t>(view, kGenerationOfRows).value_or(0)),
      word_(read<CloudReset>(view, kWordMeta)),
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
  if (generation == 0) return word_.has_value();
  return newest() != 0 && generation != newest();
}

bool CloudGeneration::hear(const CloudReset& word, bool by_cloud) {
  if (word_ && word_->generation == word.generation) return false;
  const bool older = left(word.generation) || (word_ && word.wall_ms <= word_->wall_ms);
  if (older && !by_cloud) return false;
  word_ = word;
  for (const std::uint64_t each : word.left) leave(each);
  if (newest() != 0 && newest() != word.generation) leave(newest());
  std::erase(left_, word.generation);
  heard_ = word.generation;
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
  if (word_) batch.meta(kWordMeta, pack(*word_));
  batch.meta(kLeftMeta, pack(left_));
  return value_ != before && (before != 0 || word_);  // the first rows of a cloud that never went back are no news
}

}  // namespace tillsync
