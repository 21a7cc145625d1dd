// A value of a table as the record that it is (storage/base/pack.hpp).
#pragma once

#include <optional>

#include "storage/base/pack.hpp"
#include "storage/lmdb/lmdb_env.hpp"

namespace tillsync::lmdb {

// Nothing when it is absent, damaged (then txn.ok() turns false) or not exactly one T.
template <class T>
std::optional<T> find(Txn& txn, const Table& table, ByteView key) {
  const auto raw = txn.get(table, key);
  return raw ? unpack<T>(*raw) : std::nullopt;
}

}  // namespace tillsync::lmdb
