#include "tests/torture/sector_disk.hpp"

#include <algorithm>

namespace tillsync::torture {

class SectorFile final : public File {
 public:
  SectorFile(SectorDisk& disk, std::shared_ptr<SectorDisk::Content> content)
      : disk_(disk), content_(std::move(content)) {}

  Result<void> write_at(std::uint64_t offset, ByteView data) override {
    if (auto step = disk_.step(SectorDisk::Kind::write); !step) {
      // Some of it may have got there: a full disk takes what it can.
      put(offset, data.substr(0, disk_.random_.below(data.size() + 1)));
      return step;
    }
    put(offset, data);
    return {};
  }
  Result<void> flush() override {
    if (auto step = disk_.step(SectorDisk::Kind::flush); !step) return step;
    content_->durable = content_->current;
    return {};
  }
  Result<Bytes> read_at(std::uint64_t offset, std::size_t length) override {
    if (auto step = disk_.step(SectorDisk::Kind::read); !step) return tl::unexpected(step.error());
    return offset >= content_->current.size() ? Bytes() : content_->current.substr(offset, length);
  }
  Result<std::uint64_t> size() override {
    if (auto step = disk_.step(SectorDisk::Kind::read); !step) return tl::unexpected(step.error());
    return content_->current.size();
  }
  Result<void> truncate(std::uint64_t size) override {
    const bool shrinks_on_full = disk_.with_ == ErrorKind::disk_full && size <= content_->current.size();
    if (auto step = disk_.step(shrinks_on_full ? std::nullopt : std::optional(SectorDisk::Kind::write)); !step)
      return step;
    content_->current.resize(size, '\0');
    return {};
  }

 private:
  void put(std::uint64_t offset, ByteView data) {
    Bytes& to = content_->current;
    if (to.size() < offset + data.size()) to.resize(offset + data.size(), '\0');
    std::ranges::copy(data, to.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  SectorDisk& disk_;
  std::shared_ptr<SectorDisk::Content> content_;
};

Result<void> SectorDisk::step(std::optional<Kind> kind) {
  ++steps_;
  if (cut_ != 0 && steps_ >= cut_) throw PowerCut{};
  if (countdown_ == 0 || kind != failing_ || --countdown_ > 0) return {};
  ++failed_;
  if (lasting_) countdown_ = 1;
  return fail_now();
}

Result<void> SectorDisk::fail_now() const {
  return tillsync::fail(with_, with_ == ErrorKind::disk_full ? "the data disk is full: free some space and carry on"
                                                             : "the data disk failed: check it, then restart");
}

Result<std::unique_ptr<File>> SectorDisk::open(const std::string& path, bool create) {
  auto found = files_.find(path);
  if (auto ready = step(found == files_.end() && create ? Kind::write : Kind::read); !ready)
    return tl::unexpected(ready.error());
  if (found == files_.end()) {
    if (!create) return tillsync::fail(ErrorKind::not_found, "there is no file " + path);
    found = files_.emplace(path, std::make_shared<Content>()).first;
  }
  return std::make_unique<SectorFile>(*this, found->second);
}

Result<std::vector<std::string>> SectorDisk::list(const std::string& folder) {
  if (auto ready = step(Kind::read); !ready) return tl::unexpected(ready.error());
  std::vector<std::string> names;
  for (const auto& [path, content] : files_) {
    if (path.starts_with(folder + "/")) names.push_back(path.substr(folder.size() + 1));
  }
  return names;
}

Result<void> SectorDisk::remove(const std::string& path) {
  if (auto ready = step(Kind::write); !ready) return ready;
  files_.erase(path);
  return {};
}

Result<void> SectorDisk::flush_folder(const std::string&) {
  if (auto ready = step(Kind::flush); !ready) return ready;
  durable_names_ = files_;
  return {};
}

void SectorDisk::fail(Kind kind, std::uint64_t nth, ErrorKind with, bool lasting) {
  failing_ = kind, countdown_ = nth, with_ = with, lasting_ = lasting, failed_ = 0;
}

void SectorDisk::heal() { countdown_ = 0; }
void SectorDisk::cut_at(std::uint64_t nth) { cut_ = nth == 0 ? 0 : steps_ + nth; }

void SectorDisk::come_back() {
  cut_ = 0;
  // A new name may have got there without its folder's flush.
  for (const auto& [path, content] : files_) {
    if (random_.below(2) == 0) durable_names_.try_emplace(path, content);
  }
  files_ = durable_names_;
  for (auto& [path, content] : files_) {
    Bytes& durable = content->durable;
    const Bytes& current = content->current;
    if (current == durable) continue;
    const std::size_t flushed = durable.size();
    if (random_.below(2) == 0) {  // its size got there, or not, apart from its sectors
      const std::size_t least = std::min(durable.size(), current.size()),
                        most = std::max(durable.size(), current.size());
      durable.resize(least + random_.below(most - least + 1), '\0');
    }
    for (std::size_t at = 0; at < std::min(durable.size(), current.size()); at += kSector) {
      const std::size_t length = std::min({kSector, durable.size() - at, current.size() - at});
      if (durable.compare(at, length, current, at, length) == 0) continue;
      if (random_.below(2) == 0) {
        durable.replace(at, length, current, at, length);
      } else if (at >= flushed && random_.below(4) == 0) {  // never written before: anything may be there
        for (std::size_t i = at; i < at + length; ++i) durable[i] = static_cast<char>(random_.next());
      }
    }
    content->current = durable;
  }
}

std::map<std::string, Bytes> SectorDisk::image() const {
  std::map<std::string, Bytes> out;
  for (const auto& [path, content] : durable_names_) out[path] = content->durable;
  return out;
}

void SectorDisk::restore(const std::map<std::string, Bytes>& image) {
  files_.clear();
  for (const auto& [path, bytes] : image) files_[path] = std::make_shared<Content>(Content{bytes, bytes});
  durable_names_ = files_;
}

}  // namespace tillsync::torture
