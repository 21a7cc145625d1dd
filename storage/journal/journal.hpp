// The critical journal: the append-only black box that every op reaches first. One batch is one write and one flush, so
// callers that share a batch share its flush. It is written over zeros that were flushed before, so that the flush
// finds the file no longer than it was (docs/decisions/0030). The file format is docs/file-formats.md.
//
// Damage is never hidden and nothing is deleted because of it:
//   - a batch that fails its checksums and lies behind a later batch, or behind a position known to be flushed, is
//   damage;
//   - one at the very end is set aside in a file beside the segment: usually a torn batch that nobody was told of.
// Records of a damaged batch that are whole by themselves are still visited.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tillsync/bytes.hpp>
#include <tillsync/result.hpp>
#include <vector>

#include "storage/disk/disk.hpp"
#include "storage/model/journal_position.hpp"

namespace tillsync {

struct JournalDamage {
  JournalPosition at;
  std::uint64_t bytes = 0;
  bool behind_flush = false;  // damage proper; otherwise an unfinished end
  std::string set_aside;      // where the bytes of an unfinished end were copied to
};

struct JournalReport {
  std::vector<JournalDamage> damage;
  std::uint64_t batches = 0;
  std::uint64_t ops = 0;
  JournalPosition end;
};

struct JournalSegment {
  std::uint32_t number = 0;
  std::uint64_t bytes = 0;
  Bytes first_op;  // empty when the segment has none
};

struct JournalSizes {
  std::uint64_t segment = 16ULL << 20;     // a day of a busy till; small enough to go one by one
  std::uint64_t least_room = 64ULL << 10;  // made at once, for the next batches: a hundred sales at most
};

class Journal {
 public:
  static constexpr std::uint64_t kMaxBatchBytes = 8ULL << 20;
  using Visitor = std::function<void(JournalPosition, ByteView op)>;

  // Opens or creates the journal in `folder`, visits every op from `from` on, and readies it for appending. `flushed`
  // is a position that the caller knows to be durable (its last checkpoint): damage before it is damage.
  static Result<Journal> open(Disk& disk, std::string folder, JournalPosition from, JournalPosition flushed,
                              const Visitor& visit, JournalReport& report, JournalSizes sizes = {});

  // Looks only, and changes nothing: at all of it, for `journal verify`; at what open() would visit.
  static Result<JournalReport> verify(Disk& disk, const std::string& folder, const Visitor& visit);
  static Result<JournalReport> look(Disk& disk, const std::string& folder, JournalPosition from, const Visitor& visit);

  // Appends one batch and flushes it; returns the position after it. After disk_full the journal is as before and can
  // be tried again; after any other error it can't be trusted and every later append fails.
  Result<JournalPosition> append(const std::vector<Bytes>& ops);

  JournalPosition end() const { return end_; }
  Result<std::vector<JournalSegment>> segments();  // oldest first
  Result<void> retire(std::uint32_t segment);      // removes one segment; never the one being written
  Result<void> end_segment();                      // what comes next begins another

 private:
  Journal(Disk& disk, std::string folder, JournalSizes sizes)
      : disk_(&disk), folder_(std::move(folder)), sizes_(sizes) {}
  Result<void> write_buffer();
  Result<void> give_back_room();
  Result<void> start_segment(std::uint32_t number);
  Result<void> set_aside_tail(JournalDamage& tail, const std::vector<Bytes>& salvaged);

  Disk* disk_;
  std::string folder_;
  JournalSizes sizes_;
  Bytes buffer_;  // what is written; its memory is kept for the next batch
  std::shared_ptr<File> file_;
  JournalPosition end_;
  std::uint64_t size_ = 0;  // of the file: zeros from the end on
  bool broken_ = false;
};

}  // namespace tillsync
