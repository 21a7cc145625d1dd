// A data folder belongs to one process at a time. The lock is the kernel's (fcntl), so a crash never leaves it behind,
// and a child that the process forked does not hold it.
#pragma once

#include <cstdint>
#include <string>
#include <tillsync/result.hpp>

namespace tillsync {

class DataFolder {
 public:
  // Makes the folder when `create` is set. Waits up to a second for one that only looked in. Errors: locked (names the
  // other process), not_found, refused (read-only).
  static Result<DataFolder> lock(const std::string& path, bool create);

  // For one who only reads: locks nothing, makes nothing, and never keeps a till from starting.
  static DataFolder look(const std::string& path) { return DataFolder(path, {}, -1); }
  // Whether a process has locked it: one that runs, or is about to.
  static bool in_use(const std::string& path);

  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&& other) noexcept;
  ~DataFolder();

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  DataFolder(std::string path, std::string real, int fd) : path_(std::move(path)), real_(std::move(real)), fd_(fd) {}
  std::string path_;
  std::string real_;  // however the caller named it
  int fd_ = -1;
};

// Small whole files: keys and rosters. Writing is durable and atomic (new file, flush, rename, flush of the folder).
bool file_exists(const std::string& path);
Result<std::string> read_file(const std::string& path);
Result<void> replace_file(const std::string& path, const std::string& content);

std::uint64_t free_bytes(const std::string& path);

}  // namespace tillsync
