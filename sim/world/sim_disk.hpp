// A disk in memory behind the Disk seam. It remembers what was flushed: a power cut keeps that, and of the rest what
// chance leaves (nothing, all, or a torn part). It can be full, and its bits can rot.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>

#include "storage/base/random.hpp"
#include "storage/disk/disk.hpp"

namespace tillsync::sim {

class SimDisk final : public Disk {
 public:
  explicit SimDisk(Random random) : random_(random) {}

  Result<std::unique_ptr<File>> open(const std::string& path, bool create) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Result<void> make_folder(const std::string&) override { return {}; }
  Result<void> remove(const std::string& path) override;
  Result<void> flush_folder(const std::string& folder) override;

  void power_cut();  // what was not flushed may be gone, there, or torn
  bool all_flushed() const;
  // How many bytes its files may still grow by; without limit when nothing is said. Full: by none.
  void set_space(std::optional<std::uint64_t> bytes) { space_ = bytes; }
  void set_full(bool full) { set_space(full ? std::optional<std::uint64_t>(0) : std::nullopt); }
  // Flips one bit of what is durable in `path`; false when there is nothing at that offset.
  bool rot(const std::string& path, std::uint64_t offset);
  std::map<std::string, std::uint64_t> used() const;  // of each file, up to the zeros that it may end in

  // A copy of what is durable: a backup.
  struct Image {
    std::map<std::string, Bytes> files;
  };
  Image image() const;
  void restore(const Image& image);

 private:
  friend class SimFile;
  static constexpr std::size_t kClean = ~std::size_t{0};
  struct Content {
    Bytes durable, current;
    std::size_t dirty_from = kClean;
  };
  Result<void> take_space(std::uint64_t bytes);
  void tear(Bytes& durable, const Bytes& current);
  std::map<std::string, std::shared_ptr<Content>> files_;          // names as the process sees them
  std::map<std::string, std::shared_ptr<Content>> durable_names_;  // names as a power cut leaves them
  std::optional<std::uint64_t> space_;
  Random random_;
};

}  // namespace tillsync::sim
