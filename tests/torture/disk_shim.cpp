// Preloaded into a real till: it keeps a copy of what the program made durable, so that a test can cut the power and
// give back a disk that kept no more than it had to; and it makes the n-th thing of a kind fail.
//
//   TILLSYNC_SHIM_FOLDER   what is watched: everything below this folder
//   TILLSYNC_SHIM_DURABLE  where the copy is kept, by the same names
//   TILLSYNC_SHIM_FAULT    write:12:28 fails the 12th write with errno 28, flush:N:5 a flush, alloc:N an allocation
//
// A file is durable as it was at its last fsync or fdatasync, a new one with its name, as ext4 does it; what goes
// through a descriptor with O_DSYNC (LMDB's meta pages) at once; a rename with the next fsync of its folder.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

thread_local bool inside = false;  // what the shim itself does is not watched
struct Inside {
  Inside() { inside = true; }
  ~Inside() { inside = false; }
};

struct Shim {
  std::string folder, durable, kind;
  unsigned long nth = 0;
  int with = 0;
  std::atomic<unsigned long> seen = 0;
  std::mutex mutex;
  std::vector<std::pair<std::string, std::string>> renames;

  Shim() {
    const auto env = [](const char* name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
    folder = env("TILLSYNC_SHIM_FOLDER"), durable = env("TILLSYNC_SHIM_DURABLE");
    const std::string fault = env("TILLSYNC_SHIM_FAULT");
    kind = fault.substr(0, fault.find(':'));
    if (kind != fault) nth = std::strtoul(fault.c_str() + kind.size() + 1, nullptr, 10);
    if (const auto at = fault.rfind(':'); at != std::string::npos) with = std::atoi(fault.c_str() + at + 1);
  }
  bool fails(const char* what) { return kind == what && ++seen == nth; }
};

Shim& shim() {
  static Shim one;
  return one;
}

// Below the watched folder, or empty.
std::string path_of(int fd) {
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = ::readlink(link, path, sizeof path);
  const std::string full(path, n > 0 ? static_cast<std::size_t>(n) : 0);
  const std::string& folder = shim().folder;
  return !folder.empty() && full.starts_with(folder) ? full.substr(folder.size()) : std::string();
}

void copy_whole(int fd, const std::string& to) {
  const int out = ::open((to + ".part").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return;
  std::vector<char> buffer(1 << 20);
  off_t at = 0;
  for (ssize_t n = 0; (n = ::pread(fd, buffer.data(), buffer.size(), at)) > 0; at += n) {
    if (real<ssize_t (*)(int, const void*, size_t)>("write")(out, buffer.data(), static_cast<std::size_t>(n)) != n)
      break;
  }
  ::close(out);
  std::rename((to + ".part").c_str(), to.c_str());
}

void flushed(int fd) {
  const std::string path = path_of(fd);
  struct stat st {};
  if (path.empty() || shim().durable.empty() || ::fstat(fd, &st) != 0) return;
  const std::lock_guard lock(shim().mutex);
  if (S_ISREG(st.st_mode)) return copy_whole(fd, shim().durable + path);
  for (const auto& [from, to] : shim().renames)
    std::rename((shim().durable + from).c_str(), (shim().durable + to).c_str());
  shim().renames.clear();
}

// What went through O_DSYNC.
void wrote(int fd, const void* data, std::size_t n, off_t at) {
  if (shim().durable.empty() || (::fcntl(fd, F_GETFL) & O_DSYNC) == 0) return;
  const std::string path = path_of(fd);
  if (path.empty()) return;
  const std::lock_guard lock(shim().mutex);
  const int out = ::open((shim().durable + path).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (out < 0) return;
  (void)!real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite64")(out, data, n, at);
  ::close(out);
}

bool refused(int fd, const char* what) {
  if (inside) return false;
  const Inside mark;
  if (path_of(fd).empty() || !shim().fails(what)) return false;
  errno = shim().with;
  return true;
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* data, size_t n, off64_t at) {
  if (refused(fd, "write")) return -1;
  const ssize_t done = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(fd, data, n, at);
  if (done > 0 && !inside) {
    const Inside mark;
    wrote(fd, data, static_cast<std::size_t>(done), at);
  }
  return done;
}
ssize_t pwrite(int fd, const void* data, size_t n, off_t at) { return pwrite64(fd, data, n, at); }

ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  if (refused(fd, "write")) return -1;
  return real<ssize_t (*)(int, const iovec*, int, off_t)>("pwritev")(fd, parts, count, at);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  if (refused(fd, "write")) return -1;
  return real<ssize_t (*)(int, const iovec*, int)>("writev")(fd, parts, count);
}

int fdatasync(int fd) {
  if (refused(fd, "flush")) return -1;
  const int done = real<int (*)(int)>("fdatasync")(fd);
  const Inside mark;
  if (done == 0) flushed(fd);
  return done;
}
int fsync(int fd) {
  if (refused(fd, "flush")) return -1;
  const int done = real<int (*)(int)>("fsync")(fd);
  const Inside mark;
  if (done == 0) flushed(fd);
  return done;
}

int rename(const char* from, const char* to) {
  const int done = real<int (*)(const char*, const char*)>("rename")(from, to);
  const std::string& folder = shim().folder;
  if (done != 0 || inside || folder.empty() || !std::string(from).starts_with(folder)) return done;
  const std::lock_guard lock(shim().mutex);
  shim().renames.emplace_back(from + folder.size(), to + folder.size());
  return done;
}

void* malloc(size_t n) {
  static const auto next = real<void* (*)(size_t)>("malloc");
  static std::atomic<unsigned long> countdown = [] {
    const char* fault = std::getenv("TILLSYNC_SHIM_FAULT");
    return fault != nullptr && std::strncmp(fault, "alloc:", 6) == 0 ? std::strtoul(fault + 6, nullptr, 10) : 0UL;
  }();
  if (countdown.load(std::memory_order_relaxed) != 0 && --countdown == 0) return nullptr;
  return next(n);
}

}  // extern "C"
