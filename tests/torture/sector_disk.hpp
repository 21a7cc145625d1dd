// A disk in memory that keeps what was flushed and nothing it need not keep: a power cut tears the rest at sector
// boundaries. Any operation can be made to fail, or to be the last before the cut.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "storage/base/random.hpp"
#include "storage/disk/disk.hpp"

namespace tillsync::torture {

struct PowerCut {};  // thrown out of whatever was going on

class SectorDisk final : public Disk {
 public:
  static constexpr std::size_t kSector = 512;
  enum class Kind { read, write, flush };  // write: of bytes, sizes and names

  explicit SectorDisk(Random random) : random_(random) {}

  Result<std::unique_ptr<File>> open(const std::string& path, bool create) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Result<void> make_folder(const std::string&) override { return {}; }
  Result<void> remove(const std::string& path) override;
  Result<void> flush_folder(const std::string& folder) override;

  // The n-th operation of that kind from now on fails, and with `lasting` all after it, until heal().
  void fail(Kind kind, std::uint64_t nth, ErrorKind with, bool lasting);
  bool failed() const { return failed_ > 0; }
  void heal();
  // The n-th operation from now on, of whatever kind, is not reached: PowerCut instead. `step` counts what is done past
  // this disk, too.
  void cut_at(std::uint64_t nth);
  Result<void> step(std::optional<Kind> kind = {});
  std::uint64_t steps() const { return steps_; }
  void come_back();  // after the cut: what was not flushed is there, gone, or torn, each sector by itself

  // For damage on purpose: what is durable.
  std::map<std::string, Bytes> image() const;
  void restore(const std::map<std::string, Bytes>& image);

 private:
  friend class SectorFile;
  Result<void> fail_now() const;
  struct Content {
    Bytes durable, current;
  };
  using Files = std::map<std::string, std::shared_ptr<Content>>;
  Files files_, durable_names_;
  Random random_;
  std::uint64_t steps_ = 0, cut_ = 0, countdown_ = 0, failed_ = 0;
  Kind failing_ = Kind::write;
  ErrorKind with_ = ErrorKind::io;
  bool lasting_ = false;
};

}  // namespace tillsync::torture
