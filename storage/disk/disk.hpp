// The Disk seam: the only door from the journal to the file system. The simulator puts a disk of its own behind it that
// forgets, tears and rots; production uses PosixDisk. Errors are values; a failed flush means the file can't be
// trusted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tillsync/bytes.hpp>
#include <tillsync/result.hpp>
#include <vector>

namespace tillsync {

class File {
 public:
  virtual ~File() = default;
  virtual Result<void> write_at(std::uint64_t offset, ByteView data) = 0;
  virtual Result<void> flush() = 0;  // returns when data and size are on the device (fdatasync)
  virtual Result<Bytes> read_at(std::uint64_t offset, std::size_t length) = 0;  // shorter at the end of the file
  virtual Result<std::uint64_t> size() = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, bool create) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;  // file names, sorted
  virtual Result<void> make_folder(const std::string& folder) = 0;               // with parents; fine if it is there
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<void> flush_folder(const std::string& folder) = 0;  // makes created and removed names durable
};

// Thread-safe as far as different files are concerned.
std::unique_ptr<Disk> posix_disk();

}  // namespace tillsync
