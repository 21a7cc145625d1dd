// What the tests of a small shop on the command line share.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "tests/integration/support.hpp"
#include "tools/client/process.hpp"

namespace tillsync::test {

bool within(std::chrono::seconds limit, const std::function<bool()>& done);
std::string after(const std::string& text, const std::string& word);  // the word that follows
Json status(const std::string& folder);
client::Process till(const Folder& f, const std::string& name);
void check_refusal(const Outcome& o, const std::string& part);  // one sentence on stderr, exit code not 0
void make_till(const Folder& f, const std::string& name);       // a lone till of its own, never paired
void write(const std::string& path, const std::string& text);

// One line at 3.50; `kind` as JSON has it.
api::RecordRequest recording(const std::string& kind, const std::string& key, const std::string& sku,
                             std::int64_t milli = 1000, const std::string& cashier = "ann");

// Starts an invitation and lets the till of that name join by it; what `pair join` said. Before, with `wrong`, somebody
// tries another code.
Outcome pair_by(const Folder& f, const std::string& name, std::vector<std::string> inviting, bool wrong = false);

// Of a branch with a cloud and two tills: more is sold than there is, and a number is used twice.
void conflicts_are_seen(const Folder& f);

// Of a branch whose till `host` hosts and is connected to the cloud.
void manager_looks_on(const Folder& f, const std::string& roster, const std::string& tenant, const std::string& host);

}  // namespace tillsync::test
