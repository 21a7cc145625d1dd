// A till's two disks, the journal's and the database's, each with a thread of its own, so that a checkpoint never
// delays a sale. Knows nothing of the core.
#pragma once

#include <asio/thread_pool.hpp>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "transport/files/till_files.hpp"
#include "transport/till/flush_times.hpp"

namespace tillsync {

class TillDisks {
 public:
  TillDisks(std::unique_ptr<Disk> disk, std::unique_ptr<TillFiles> files)
      : disk_(std::move(disk)), files_(std::move(files)) {}

  // The journal, from any thread: one at a time has it.
  Result<JournalPosition> flush(const std::vector<Bytes>& batch);
  Result<std::vector<JournalSegment>> segments();
  void retire(const TillFiles::Retirement& old);
  const FlushTimes& flush_times() const { return flush_times_; }

  // The database. Both of these on its lane only.
  Result<void> commit(const StoreBatch& batch);
  Result<void> verify();                           // reads all of it: LMDB itself would never notice a rotten page
  void database_is_damaged() { damaged_ = true; }  // from any thread: nothing more is written into it
  bool damaged() const { return damaged_; }
  TillStore& store() { return files_->store(); }

  asio::thread_pool& journal_lane() { return journal_lane_; }
  asio::thread_pool& database_lane() { return database_lane_; }
  void join();  // ends both, after what was posted to them

 private:
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<TillFiles> files_;
  std::mutex journal_mutex_;
  FlushTimes flush_times_;
  std::atomic<bool> damaged_ = false;
  asio::thread_pool journal_lane_{1};
  asio::thread_pool database_lane_{1};
};

}  // namespace tillsync
