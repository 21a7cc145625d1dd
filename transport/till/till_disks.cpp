#include "transport/till/till_disks.hpp"

#include "transport/base/clock.hpp"

namespace tillsync {

namespace {
constexpr char kDamaged[] = "it is damaged: stop this till and run 'tillsync recover', which loses no sale";
}

Result<JournalPosition> TillDisks::flush(const std::vector<Bytes>& batch) {
  const std::lock_guard lock(journal_mutex_);
  const Instant begun = read_clock().mono;
  auto outcome = files_->journal().append(batch);
  flush_times_.add(read_clock().mono - begun);
  return outcome;
}

Result<std::vector<JournalSegment>> TillDisks::segments() {
  const std::lock_guard lock(journal_mutex_);
  return files_->segments();
}

void TillDisks::retire(const TillFiles::Retirement& old) {
  const std::lock_guard lock(journal_mutex_);
  files_->retire(old);
}

Result<void> TillDisks::commit(const StoreBatch& batch) {
  if (damaged_) return fail(ErrorKind::damaged, kDamaged);
  return files_->store().commit(batch);
}

Result<void> TillDisks::verify() { return files_->store().verify(); }

void TillDisks::join() {
  journal_lane_.join();
  database_lane_.join();
}

}  // namespace tillsync
