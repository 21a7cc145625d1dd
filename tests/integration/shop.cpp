#include "tests/integration/shop.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "storage/disk/data_folder.hpp"

namespace tillsync::test {

void nap() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

bool within(std::chrono::seconds limit, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done() && std::chrono::steady_clock::now() < end) nap();
  return done();
}

std::string after(const std::string& text, const std::string& word) {
  const auto at = text.find(word);
  REQUIRE(at != std::string::npos);
  const auto from = at + word.size();
  return text.substr(from, text.find_first_of(" \n", from) - from);
}

Json status(const std::string& folder) { return Json::parse(run({"status", "--data", folder, "--json"}).out); }

client::Process till(const Folder& f, const std::string& name) {
  return {name, f / name, {test::program(), "till", "--data", f / name}};
}

// One sentence on stderr, exit code not 0.
void check_refusal(const Outcome& o, const std::string& part) {
  CAPTURE(o.out);
  CAPTURE(o.err);
  CHECK(o.code != 0);
  CHECK(o.err.find(part) != std::string::npos);
  CHECK(std::count(o.err.begin(), o.err.end(), '\n') == 1);
}

// A lone till of its own, never paired.
void make_till(const Folder& f, const std::string& name) {
  REQUIRE(run({"till", "init", "--data", f / name, "--branch", "main", "--till", name, "--listen", "127.0.0.1:0",
               "--interface", "lo"})
              .code == 0);
}

Outcome pair_by(const Folder& f, const std::string& name, std::vector<std::string> inviting, bool wrong) {
  inviting.insert(inviting.begin(), test::program());
  client::Process invite("invite", f / ("invite-" + name), inviting);
  invite.start();
  std::string said;
  REQUIRE(within(std::chrono::seconds(10), [&] {
    return (said = read_file(f / ("invite-" + name + ".log")).value_or("")).find("within ten") != std::string::npos;
  }));
  const std::string at = "127.0.0.1:" + after(said, "port  ");
  if (wrong)
    check_refusal(run({"pair", "join", "--data", f / name, "--code", "AAAA-BBBB-CCCC", "--at", at}),
                  "the code is wrong");
  const Outcome joined = run({"pair", "join", "--data", f / name, "--code", after(said, "code  "), "--at", at});
  CAPTURE(joined.err);
  REQUIRE(joined.code == 0);
  REQUIRE(within(std::chrono::seconds(5), [&] { return !invite.alive(); }));
  return joined;
}

api::RecordRequest recording(const std::string& kind, const std::string& key, const std::string& sku,
                             std::int64_t milli, const std::string& cashier) {
  api::RecordRequest out;
  out.op.kind = api::from_json<OpKind>(kind).value();
  out.op.key = key, out.op.cashier = cashier;
  out.op.document.lines.push_back({sku, {milli}, 350, {}});
  return out;
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace tillsync::test
