// The embedding: a till program opens a Till, records ops and asks where they are. Everything else (finding the branch,
// the host, the cloud) happens by itself on the engine's own threads.
//
//   auto till = Till::open({.folder = "/var/lib/shop/till-1", .branch = "main-street", .till = "till-1"});
//   if (!till) return complain(till.error().message);
//   OpDraft sale{.kind = OpKind::sale, .key = "2024-06-01/till-1/17"};
//   sale.document.lines.push_back({.sku = "bread", .quantity = Quantity::units(2), .unit_price = 350});
//   Result<Receipt> receipt = (*till)->record(sale);   // on disk when this returns
//
// Threads: every function may be called from any thread, also from several at once. Callbacks (`log`, `done`) are
// called one after the other on a thread of their own. From one, every function may be called, and the Till may be
// destroyed; a slow one delays the next callbacks and no sale. One that throws is counted, and otherwise forgotten.
//
// fork(): a Till belongs to the process that opened it. In a child, each function that can fail says so (refused), the
// others know nothing (status().accepting is false), and the destructor does nothing.
//
// Memory: 3 MiB, and some more for a moment while rows or checkpoints are written. A program on glibc does well to keep
// what is freed for the next one: mallopt(M_TRIM_THRESHOLD, 16 << 20) and M_MMAP_THRESHOLD, before its first thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tillsync/availability.hpp>
#include <tillsync/bytes.hpp>
#include <tillsync/op.hpp>
#include <tillsync/result.hpp>
#include <tillsync/row.hpp>
#include <tillsync/status.hpp>

namespace tillsync {

struct TillConfig {
  std::string folder;       // one till, one folder, one process
  std::string branch = {};  // both are needed once, when the folder is made; later they may be left out
  std::string till = {};
  bool network = true;  // false: record only; nothing is sent or found
  std::function<void(const std::string& level, const std::string& text)> log = {};  // info, warning, error
};

class Till {
 public:
  // Errors: locked (names the other process), invalid (names), not_found, refused (read-only), damaged (run recover),
  // io.
  static Result<std::unique_ptr<Till>> open(TillConfig config);

  // Gives the lease back if this till hosts, and ends within two seconds, mostly at once. Every receipt that was handed
  // out is safe; whoever waits in record() or wait() hears `closed`. Callbacks that are due are called before it
  // returns, or, when it is destroyed in one, after that one has returned.
  ~Till();
  Till(const Till&) = delete;
  Till& operator=(const Till&) = delete;

  // Returns when the op is flushed to this till's disk. The same key with the same content gets the first receipt
  // again. Errors: invalid, card_number, duplicate_key, busy, disk_full (nothing was recorded; try again), io.
  Result<Receipt> record(const OpDraft& draft);
  // `done` is called when it is, and may be empty. What one thread records is numbered in the order of its calls,
  // whichever of the two they are.
  void record(const OpDraft& draft, std::function<void(Result<Receipt>)> done);

  // How safe the op with this key is by now. Errors: not_found.
  Result<Level> where(const std::string& key);
  // Waits until it is at least that safe. Errors: timed_out (it stays recorded and goes on by itself), not_found (at
  // once), closed.
  Result<Level> wait(const std::string& key, Level level, std::chrono::milliseconds limit);

  Status status();
  std::uint64_t failed_callbacks() const;  // since it was opened; they threw an exception
  // What is on the shelf as far as this till knows; nothing for a product that it never heard of.
  std::optional<Quantity> stock(const std::string& sku);
  std::map<std::string, Quantity> stock();
  // Whether there is so much of it to sell: yes, no, or unknown (never counted), with what this till believes, how old
  // that belief is, and what the shop wants done about it (policies.toml in the folder).
  //   if (till->available("cola", Quantity::units(2)).rule == SellRule::block) return refuse();
  Availability available(const std::string& sku, Quantity quantity);

  // A row that the cloud owns, by kind and id: row("product", "bread"). With what was edited here, at once.
  std::optional<Row> row(const std::string& kind, const std::string& id);
  // Changes fields of such a row: MessagePack values by name; an empty one takes the field away. Works offline; the
  // cloud merges it with what others changed, or asks people. The same call with the same key gives the first receipt
  // again. Errors: as record().
  Result<Receipt> edit(const std::string& kind, const std::string& id, const std::map<std::string, Bytes>& changes,
                       const std::string& key, const std::string& by = {});

 private:
  struct Impl;
  explicit Till(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tillsync
