// What a till's maker would otherwise write a sale to, each as an expert would, each as durable as tillsync: one flush
// (or what the library needs) before write() returns.
#pragma once

#include <memory>
#include <string>
#include <tillsync/bytes.hpp>
#include <vector>

namespace tillsync::bench {

class Reference {
 public:
  virtual ~Reference() = default;
  virtual void write(const std::vector<Bytes>& records) = 0;  // one batch, durable when it returns
};

// One write and one fdatasync at the end of a file.
std::unique_ptr<Reference> bare_file(const std::string& folder);
// One transaction of plain LMDB, default flags: keys in order, appended.
std::unique_ptr<Reference> plain_lmdb(const std::string& folder);
// One transaction of SQLite in WAL mode with synchronous=FULL, a prepared insert.
std::unique_ptr<Reference> sqlite_wal(const std::string& folder);

}  // namespace tillsync::bench
