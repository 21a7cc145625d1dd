#include "storage/disk/data_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "storage/disk/disk.hpp"

namespace tillsync {

namespace {

constexpr auto kWait = std::chrono::seconds(1);  // for one that only looks in, or is about to end
constexpr auto kPoll = std::chrono::milliseconds(10);

// The kernel's lock belongs to the process and not to the descriptor, so that a child forked by the program around us
// does not hold it. Hence it knows nothing of two in one process, and is gone when the process closes any descriptor of
// the file: who else in this process has the folder is known before the file is opened.
class LocksHere {
 public:
  bool take(const std::string& folder) {
    const std::lock_guard lock(mutex_);
    return taken_.insert({::getpid(), folder}).second;  // a parent's are none of ours
  }
  bool taken(const std::string& folder) {
    const std::lock_guard lock(mutex_);
    return taken_.contains({::getpid(), folder});
  }
  void let_go(const std::string& folder) {
    const std::lock_guard lock(mutex_);
    taken_.erase({::getpid(), folder});
  }

 private:
  std::mutex mutex_;
  std::set<std::pair<pid_t, std::string>> taken_;
};

LocksHere& locks_here() {
  static LocksHere locks;
  return locks;
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

template <class Try>
bool within(std::chrono::steady_clock::duration patience, Try attempt) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!attempt()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

tl::unexpected<Error> used_by(const std::string& path, pid_t by) {
  return fail(ErrorKind::locked, "the data folder " + path + " is in use by process " +
                                     (by > 0 ? std::to_string(by) : std::string("(unknown)")) +
                                     ": stop that one first, or use another folder");
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
  const std::string real = std::filesystem::canonical(path, error).string();
  if (!within(kWait, [&] { return locks_here().take(real); })) return used_by(path, ::getpid());
  const std::string file = path + "/lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    locks_here().let_go(real);
    return fail(ErrorKind::refused, "can't write to the data folder " + path + " (" + std::strerror(errno) +
                                        "): make it writable for this user");
  }
  auto lock = whole_file();
  if (!within(kWait, [&] { return ::fcntl(fd, F_SETLK, &lock) == 0; })) {
    auto holder = whole_file();
    const bool known = ::fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK;
    ::close(fd);
    locks_here().let_go(real);
    return used_by(path, known ? holder.l_pid : 0);
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    // The lock holds without the number; only the other process's error message is poorer.
  }
  return DataFolder(path, real, fd);
}

bool DataFolder::in_use(const std::string& path) {
  std::error_code error;
  const std::string real = std::filesystem::canonical(path, error).string();
  if (locks_here().taken(real)) return true;  // and to close the file here would end that lock
  const int fd = ::open((path + "/lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;  // nothing has run there yet
  auto holder = whole_file();
  const bool locked = ::fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK;
  ::close(fd);
  return locked;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)), real_(std::move(other.real_)), fd_(std::exchange(other.fd_, -1)) {}

DataFolder& DataFolder::operator=(DataFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(real_, other.real_);
  std::swap(fd_, other.fd_);
  return *this;
}

DataFolder::~DataFolder() {
  if (fd_ < 0) return;
  ::close(fd_);
  locks_here().let_go(real_);
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
