#include "storage/disk/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "storage/disk/disk.hpp"

namespace tillsync {

namespace {

constexpr auto kWait = std::chrono::seconds(1);  // for one that only looks in, or is about to end
constexpr auto kPoll = std::chrono::milliseconds(10);

bool lock_within(int fd, std::chrono::steady_clock::duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

}  // namespace

Result<DataFolder> DataFolder::lock(const std::string& path, bool create) {
  std::error_code error;
  if (create) std::filesystem::create_directories(path, error);
  if (error) {
    return fail(ErrorKind::refused, "can't make the data folder " + path + " (" + error.message() +
                                        "): choose a folder that this user may write to");
  }
  if (!std::filesystem::is_directory(path, error)) {
    return fail(ErrorKind::not_found, "there is no data folder at " + path + ": check the path given with --data");
  }
  const std::string file = path + "/lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(ErrorKind::refused, "can't write to the data folder " + path + " (" + std::strerror(errno) +
                                        "): make it writable for this user");
  }
  if (!lock_within(fd, kWait)) {
    char pid[32] = {};
    const ssize_t n = ::pread(fd, pid, sizeof pid - 1, 0);
    ::close(fd);
    return fail(ErrorKind::locked, "the data folder " + path + " is in use by process " +
                                       (n > 0 ? std::string(pid) : std::string("(unknown)")) +
                                       ": stop that one first, or use another folder");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    // The lock holds without the number; only the other process's error message is poorer.
  }
  return DataFolder(path, fd);
}

bool DataFolder::in_use(const std::string& path) {
  const int fd = ::open((path + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;  // nothing has run there yet
  const bool locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  ::close(fd);
  return locked;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

DataFolder& DataFolder::operator=(DataFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

DataFolder::~DataFolder() {
  if (fd_ >= 0) ::close(fd_);
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<std::string> read_file(const std::string& path) {
  auto disk = posix_disk();
  auto file = disk->open(path, false);
  if (!file) return tl::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return tl::unexpected(size.error());
  return (*file)->read_at(0, *size);
}

Result<void> replace_file(const std::string& path, const std::string& content) {
  auto disk = posix_disk();
  const std::string fresh = path + ".new";
  auto file = disk->open(fresh, true);
  if (!file) return tl::unexpected(file.error());
  auto step = (*file)->truncate(0);
  if (step) step = (*file)->write_at(0, content);
  if (step) step = (*file)->flush();
  if (!step) return step;
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail(ErrorKind::io, "can't replace " + path + ": " + std::strerror(errno));
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return disk->flush_folder(folder.empty() ? "." : folder);
}

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs fs {};
  return ::statvfs(path.c_str(), &fs) == 0 ? fs.f_bavail * fs.f_frsize : 0;
}

}  // namespace tillsync
