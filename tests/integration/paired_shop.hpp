// A branch as its people have it: a cloud, two tills that know each other, a supporter's and a manager's key.
#pragma once

#include <optional>

#include "tests/integration/shop.hpp"
#include "tools/client/folder.hpp"

namespace tillsync::test {

class PairedShop {
 public:
  PairedShop();

  void start_cloud();
  void stop_cloud();
  template <class R>
  api::AnswerTo<R> ask(const std::string& whom, const R& request) {  // cloud, till-1, till-2; what it answered
    return client::require(client::Folder(f / whom).ask(request));
  }
  void record(const std::string& till, const std::string& kind, const std::string& key, const std::string& sku,
              std::int64_t milli = 1000, const std::string& cashier = "ann");
  void settle_down();                                                        // until the tills have nothing unsent
  Json conflicts(const std::string& where);                                  // all of them
  Outcome tell(std::vector<std::string> command, const std::string& where);  // with --data
  // With a person's key, at the cloud.
  Outcome from_afar(std::vector<std::string> command, const std::string& key);

  const Folder f;

 private:
  std::string port_ = "0";
  std::optional<client::Process> cloud_;
  std::vector<client::Process> tills_;
};

}  // namespace tillsync::test
