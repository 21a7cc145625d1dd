#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "storage/disk/disk.hpp"

namespace tillsync {

namespace {

tl::unexpected<Error> system_error(const std::string& what, int code) {
  const std::string detail = what + ": " + std::strerror(code);
  if (code == ENOSPC || code == EDQUOT) {
    return fail(ErrorKind::disk_full, "the data disk is full: free some space and carry on", detail);
  }
  if (code == ENOENT) return fail(ErrorKind::not_found, detail, detail);
  if (code == EACCES || code == EPERM || code == EROFS) {
    return fail(ErrorKind::refused, detail + ": make it writable for this user", detail);
  }
  return fail(ErrorKind::io, "the data disk failed (" + detail + "): check the disk, then restart", detail);
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { ::close(fd_); }

  Result<void> write_at(std::uint64_t offset, ByteView data) override {
    while (!data.empty()) {
      const ssize_t n = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("writing " + path_, errno);
      data.remove_prefix(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  Result<void> flush() override {
    if (::fdatasync(fd_) != 0) return system_error("flushing " + path_, errno);
    struct stat st {};
    if (::fstat(fd_, &st) == 0 && st.st_nlink == 0) {
      return fail(ErrorKind::io,
                  "somebody deleted " + path_ +
                      " while it was in use: nothing more can be kept; stop this program, and restore its "
                      "folder before it starts again");
    }
    return {};
  }

  Result<Bytes> read_at(std::uint64_t offset, std::size_t length) override {
    Bytes out(length, '\0');
    std::size_t got = 0;
    while (got < length) {
      const ssize_t n = ::pread(fd_, out.data() + got, length - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_error("reading " + path_, errno);
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    out.resize(got);
    return out;
  }

  Result<std::uint64_t> size() override {
    struct stat st {};
    if (::fstat(fd_, &st) != 0) return system_error("looking at " + path_, errno);
    return static_cast<std::uint64_t>(st.st_size);
  }

  Result<void> truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return system_error("shortening " + path_, errno);
    return {};
  }

 private:
  int fd_;
  std::string path_;
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, bool create) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
    if (fd < 0) return system_error("opening " + path, errno);
    return std::make_unique<PosixFile>(fd, path);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return system_error("listing " + folder, error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<void> make_folder(const std::string& folder) override {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return system_error("making " + folder, error.value());
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_error("removing " + path, errno);
    return {};
  }

  Result<void> flush_folder(const std::string& folder) override {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return system_error("opening " + folder, errno);
    const int outcome = ::fsync(fd);
    const int code = errno;
    ::close(fd);
    if (outcome != 0) return system_error("flushing " + folder, code);
    return {};
  }
};

}  // namespace

std::unique_ptr<Disk> posix_disk() { return std::make_unique<PosixDisk>(); }

}  // namespace tillsync
