// Named entries, as one transaction sees them. What is read is remembered; what changes is gathered and sent before
// entries are listed, and at flush().
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/postgres/session.hpp"

namespace tillsync::postgres {

class MetaTable {
 public:
  explicit MetaTable(Session& session) : session_(session) {}

  // Reads them at once.
  void expect(const std::vector<std::string>& wanted);
  std::optional<Bytes> find(const std::string& name);
  // Those whose names begin so, in the order of their names. `prefix` ends in '/'.
  void read_all(const std::string& prefix, const std::function<void(const std::string&, ByteView)>& visit);
  void put(const std::string& name, ByteView value);
  void drop(const std::string& name);

  void flush();

 private:
  Session& session_;
  std::map<std::string, std::optional<Bytes>> entries_;  // by their names as the table has them
  std::set<std::string> changed_;
};

}  // namespace tillsync::postgres
