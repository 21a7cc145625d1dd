// A file that is in the data folder while a process runs the till: found at the start, the last one crashed. It counts
// how many starts since the database was last looked at whole have gone on beside the check.
#pragma once

#include <optional>

#include "storage/disk/data_folder.hpp"

namespace tillsync {

class CrashMark {
 public:
  static constexpr int kBesideAtMost = 3;  // then a start waits: a rotten page may be what it crashes at

  explicit CrashMark(const DataFolder& folder) : file_(folder.file("running")) {}

  std::optional<int> starts_beside() const;  // nothing: the last process ended well
  Result<void> set(int starts_beside) const {
    return replace_file(file_, starts_beside == 0 ? "" : std::to_string(starts_beside));
  }
  void next_start_waits() const { (void)set(kBesideAtMost); }
  void remove() const;

 private:
  std::string file_;
};

}  // namespace tillsync
