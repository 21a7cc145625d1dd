// Up to where a branch's past is complete: every till has said that all its later ops come after it, and the cloud
// holds what came before. What is suspected before the frontier is confirmed.
#pragma once

#include <map>
#include <vector>

#include "storage/model/records.hpp"

namespace tillsync {

class Frontier {
 public:
  static constexpr std::int64_t kBehindMs = 5 * 60 * 1000;            // never nearer to the cloud's time
  static constexpr std::int64_t kLeftOutMs = 7 * 24 * 3600 * 1000LL;  // who is silent for longer holds nothing up

  // That every later op of this till is stamped after `hlc`.
  void heard(const TillId& till, Hlc hlc, std::int64_t now_ms);
  // True when it moved on. A till of which nothing was ever heard counts from now.
  bool advance(const std::vector<TillId>& tills, std::int64_t now_ms);
  Hlc at() const { return at_; }
  std::vector<TillId> left_out(const std::vector<TillId>& tills, std::int64_t now_ms) const;

  template <class A>
  void fields(A& a) {
    a(at_, tills_);
  }

 private:
  struct Heard {
    TillId till;
    Hlc hlc;
    std::int64_t at_ms = 0;
    template <class A>
    void fields(A& a) {
      a(till, hlc, at_ms);
    }
  };
  Heard& of(const TillId& till, std::int64_t now_ms);
  Hlc at_;
  std::vector<Heard> tills_;
};

}  // namespace tillsync
