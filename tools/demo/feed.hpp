// Records a file's ops at the tills, each till in order, at a measured pace, while things go wrong around it.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/demo/fleet.hpp"

namespace tillsync::demo {

class Feed {
 public:
  // Deals the ops round robin. `share` of each till's ops are free to go at once; release() frees more.
  Feed(Fleet& fleet, const std::vector<OpDraft>& ops, double ops_a_second);
  ~Feed();

  void release(double share);  // of the file, from its start
  std::size_t recorded() const { return recorded_; }
  std::size_t released() const;
  bool waiting() const { return recorded_ >= released(); }

  void pause(std::size_t till);  // before its process is killed: nothing is asked of it until resume()
  void resume(std::size_t till);
  void stop();
  std::optional<std::string> failure();

  // What was recorded where, in order: the keys.
  const std::vector<std::vector<std::string>>& dealt() const { return keys_; }

 private:
  void run(std::size_t till);
  bool send_some(std::size_t till, ControlClient& client, std::size_t& next);

  Fleet& fleet_;
  std::vector<std::vector<Json>> questions_;
  std::vector<std::vector<std::string>> keys_;
  double rate_;
  std::atomic<double> share_ = 0;
  std::atomic<std::size_t> recorded_ = 0;
  std::vector<std::atomic<bool>> paused_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::optional<std::string> failure_;
  std::vector<std::thread> threads_;
};

}  // namespace tillsync::demo
