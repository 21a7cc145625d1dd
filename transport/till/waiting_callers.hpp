// Those who wait for an answer that the core gives later: how safe an op has become, or whether a command was taken.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "transport/till/core_loop.hpp"
#include "transport/till/till_recorder.hpp"

namespace tillsync {

class WaitingCallers final : public ActionHandler {
 public:
  WaitingCallers(CoreLoop& loop, TillRecorder& recorder) : loop_(loop), recorder_(recorder) {}

  // From any thread; `done` is called on the core's.
  void wait(std::string key, Level level, Duration limit, std::function<void(Result<Level>)> done);
  // On the core's thread.
  void command(const std::string& setting, Bytes value, std::function<void(Result<void>)> done);

  void act(Actions& actions) override;
  void on_closing() override;  // all of them hear that it is over

 private:
  CoreLoop& loop_;
  TillRecorder& recorder_;
  std::unordered_map<std::uint64_t, std::function<void(Result<Level>)>> levels_;
  std::unordered_map<std::uint64_t, std::function<void(Result<void>)>> commands_;
};

}  // namespace tillsync
