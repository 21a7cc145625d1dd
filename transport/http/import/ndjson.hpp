// Rows as headquarters writes them: one JSON object with an "id" a line; "deleted": true removes the row. Read piece by
// piece: memory is bounded whatever comes, a line that can't be read is told by its number, and reading goes on.
//
//   {"id": "4711", "name": "Espresso", "price": 240}
#pragma once

#include <functional>
#include <string>

#include "engine/cloud/import.hpp"

namespace tillsync {

class NdjsonReader {
 public:
  static constexpr std::size_t kMaxLine = 1 << 20;  // bytes; a longer one is bad
  static constexpr std::size_t kMaxId = 128;

  struct Events {
    // `end`: bytes up to the end of the line. Returning false stops: what is fed is left where it is.
    std::function<bool(ImportRow row, std::uint64_t line, std::uint64_t end)> row;
    std::function<bool(const std::string& why, std::uint64_t line, std::uint64_t end)> bad;
  };
  // Begins after `lines` lines of `bytes` bytes.
  explicit NdjsonReader(Events events, std::uint64_t lines = 0, std::uint64_t bytes = 0)
      : events_(std::move(events)), line_(lines), end_(bytes) {}

  bool feed(ByteView piece);
  bool finish();  // the last line need not end in a line feed

 private:
  bool take_line(ByteView line);

  Events events_;
  Bytes begun_;  // of a line whose end has not come
  bool too_long_ = false;
  std::uint64_t line_, end_;
};

}  // namespace tillsync
