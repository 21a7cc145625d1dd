// A change that somebody makes to a row, with what he saw of it: the body of an `edit` op. And a row's fields apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tillsync/row.hpp>

namespace tillsync {

using RowFields = std::map<std::string, Bytes>;  // name -> one MessagePack value

std::optional<RowFields> split_fields(ByteView map);  // nothing when it is no map from names to values
Bytes join_fields(const RowFields& fields);
std::string value_words(ByteView value);  // one MessagePack value as people read it: "350", "Roll", "none"
std::optional<std::int64_t> number_in(ByteView value);  // when it is one

struct RowEdit {
  struct Change {
    Binary was, becomes;  // MessagePack values; empty: the row had no such field
    template <class A>
    void fields(A& a) {
      a(was, becomes);
    }
  };
  std::string kind, id;
  RowVersion seen;  // 0: a new row
  bool deletes = false;
  std::map<std::string, Change> changes;
  template <class A>
  void fields(A& a) {
    a(kind, id, seen, deletes, changes);
  }
};

}  // namespace tillsync
