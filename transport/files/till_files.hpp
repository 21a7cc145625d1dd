// What a till keeps on its disk: its database and its journal, opened together and let go together. Programs and the
// simulator use the same class, so that a start and the end of old journal segments are simulated as they are run.
//
//   auto started = TillFiles::start(*disk, {.database = folder + "/db", .journal = folder + "/journal"});
//   TillCore core(config, started->files->store(), std::move(started->recovered), random, now);
//
// Not thread-safe: the journal and the database may each be used by one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <tillsync/result.hpp>
#include <vector>

#include "engine/till/till_core.hpp"
#include "storage/journal/journal.hpp"
#include "storage/lmdb/till_store.hpp"

namespace tillsync {

class TillFiles {
 public:
  struct Places {
    std::string database;  // a folder of the file system: LMDB wants real files
    std::string journal;   // a folder of the Disk
    JournalSizes sizes = {};
    bool shrink = true;  // false while somebody else has the database open
  };
  struct Started;
  // Opens both, and reads of the journal what the database does not hold yet. Errors: damaged, io, disk_full.
  static Result<Started> start(Disk& disk, const Places& places);

  TillStore& store() { return *store_; }
  const TillStore& store() const { return *store_; }
  Journal& journal() { return journal_; }

  // Old segments of the journal go in three moves, because a program reads and removes files on another thread than the
  // core's: list the segments, ask the core which of them may go, let those go.
  Result<std::vector<JournalSegment>> segments() { return journal_.segments(); }
  struct Retirement {
    std::uint32_t last = 0;              // this segment and all before it go; 0: none
    std::optional<std::uint32_t> ends;   // this one is ended if it is still being written
    std::vector<std::uint32_t> of = {};  // the segments that were there
    bool nothing() const { return last == 0 && !ends; }
  };
  static Retirement retirement(const TillCore& core, const std::vector<JournalSegment>& segments, Now now);
  // Stops at the first segment that can't be removed: segments go oldest first, so that the journal has no hole.
  void retire(const Retirement& what);

 private:
  TillFiles(std::unique_ptr<TillStore> store, Journal journal)
      : store_(std::move(store)), journal_(std::move(journal)) {}

  std::unique_ptr<TillStore> store_;
  Journal journal_;
};

struct TillFiles::Started {
  std::unique_ptr<TillFiles> files;
  Recovered recovered;
  std::optional<Error> not_shrunk;  // the database stays as large as it is; the till works
};

}  // namespace tillsync
