// Preloaded into a till by the tests: its child processes begin half a second late, as where others want the
// processors.
#include <dlfcn.h>
#include <unistd.h>

#include <chrono>
#include <thread>

extern "C" pid_t fork() {
  using Real = pid_t (*)();
  static const auto real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "fork"));
  const pid_t child = real();
  if (child == 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  return child;
}
