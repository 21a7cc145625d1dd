// Expected failures are values: a kind for programs, a sentence that tells a shop's support what to do, and the detail.
//
//   Result<Receipt> receipt = till.record(sale);
//   if (!receipt) std::cerr << receipt.error().message << '\n';
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tillsync {

enum class ErrorKind {
  invalid,        // the caller's data breaks a rule; nothing was recorded
  duplicate_key,  // the idempotency key already names another op
  card_number,    // a free-form field holds a payment card number
  not_found,
  busy,       // a limit is reached for the moment; try again later
  disk_full,  // nothing was half-recorded; selling resumes when there is space
  io,         // the disk failed; the till stops accepting until it is restarted
  damaged,    // a file's content does not match its checksum
  locked,     // another process uses the data folder
  refused,    // a peer or a rule says no
  timed_out,
  closed,
};

// Of what a store refuses: whether it refuses the same whenever it is asked. Then the request is at fault, and trying
// again helps nobody; everything else passes, or somebody has to mend something first.
constexpr bool is_lasting(ErrorKind kind) { return kind == ErrorKind::invalid; }

struct Error {
  ErrorKind kind;
  std::string message;  // one sentence that says what to do
  std::string detail;   // which file, what the system said

  // What a log says: the sentence, with the detail in brackets unless it has it already.
  std::string for_log() const {
    return message.find(detail) == std::string::npos ? message + " (" + detail + ")" : message;
  }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message, std::string detail = {}) {
  return tl::unexpected<Error>(Error{kind, std::move(message), std::move(detail)});
}

}  // namespace tillsync
