// Owns a till's core. One thread runs the io_context and carries out what the core asks for; the parts of the shell do
// so in turn, each its own share. A caller who waits for its sale borrows the core for a moment, under the same lock.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/till/till_core.hpp"
#include "transport/base/log.hpp"
#include "transport/till/till_disks.hpp"

namespace tillsync {

// A part of the shell. All of it is called on the core's thread, by somebody who holds the core.
class ActionHandler {
 public:
  virtual ~ActionHandler() = default;
  virtual void act(Actions& actions) = 0;               // does its share of them
  virtual void on_settled(Now /*now*/) {}               // nothing is left to do, and the core is about to wait
  virtual void on_woken(Now /*now*/) {}                 // the core's own time has come
  virtual bool has_farewells() const { return false; }  // somebody is there to hear of the end
  virtual void on_closing() {}                          // the last call: begin nothing more
};

class CoreLoop {
 public:
  // Whoever touches the core holds it: the core's thread, and callers of record() for the moment that they need it.
  using Held = std::lock_guard<std::recursive_mutex>;

  CoreLoop(std::unique_ptr<TillCore> core, TillDisks& disks, Log log);
  void add(ActionHandler& part);            // before start(); they act in the order in which they were added
  void start(std::function<void()> begin);  // `begin` is called on the core's thread, after the core's start
  // Hands the lease over, tells the parts that it is over, and ends the thread. Does nothing without start().
  void end();

  // From any thread. `work` runs on the core's thread, which holds the core.
  template <class F>
  void post(F work) {
    asio::post(io_, [this, work = std::move(work)]() mutable {
      const Held held(lock_);
      work();
    });
  }
  // The same, and waits for the answer; not from the core's thread itself.
  template <class F>
  auto ask(F f) -> decltype(f()) {
    std::promise<decltype(f())> answer;
    post([&] {
      try {
        answer.set_value(f());
      } catch (...) {  // the asker's, not the core's
        answer.set_exception(std::current_exception());
      }
    });
    return answer.get_future().get();
  }
  std::recursive_mutex& lock() { return lock_; }
  asio::io_context& io() { return io_; }
  // Held by work elsewhere that will post what came of it: the loop does not end before.
  using Expected = asio::executor_work_guard<asio::io_context::executor_type>;
  Expected expecting() { return asio::make_work_guard(io_); }

  // By whoever holds the core.
  TillCore& core() { return *core_; }
  bool stopping() const { return stopping_; }
  ReplyTo next_reply() { return ReplyTo{next_reply_++}; }
  void carry_out(Actions actions);  // on the core's thread
  void enqueue(Actions actions);    // on a caller's: the core's thread carries it out, in order

 private:
  void run(const std::function<void()>& begin);
  void drain();
  void perform(Actions actions);
  void commit(std::shared_ptr<const StoreBatch> batch);
  void arm();
  void close();

  TillDisks& disks_;
  Log log_;
  std::unique_ptr<TillCore> core_;
  asio::io_context io_{1};
  asio::steady_timer wake_{io_};
  std::vector<ActionHandler*> parts_;
  std::thread thread_;
  std::recursive_mutex lock_;
  bool stopping_ = false;
  Instant armed_for_;         // when the core's thread wakes by itself
  std::deque<Actions> owed_;  // what the core asked for and nobody has done yet, in order
  std::uint64_t next_reply_ = 1;
};

}  // namespace tillsync
