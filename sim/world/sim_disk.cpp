#include "sim/world/sim_disk.hpp"

#include <algorithm>
#include <utility>

namespace tillsync::sim {

class SimFile final : public File {
 public:
  SimFile(SimDisk& disk, std::shared_ptr<SimDisk::Content> content) : disk_(disk), content_(std::move(content)) {}

  Result<void> write_at(std::uint64_t offset, ByteView data) override {
    Bytes& to = content_->current;
    if (const std::uint64_t end = offset + data.size(); end > to.size()) {
      if (auto taken = disk_.take_space(end - to.size()); !taken) return taken;
      to.resize(end, '\0');
    }
    std::copy(data.begin(), data.end(), to.begin() + static_cast<std::ptrdiff_t>(offset));
    content_->dirty_from = std::min<std::size_t>(content_->dirty_from, offset);
    return {};
  }
  Result<void> flush() override {
    Bytes& durable = content_->durable;
    const std::size_t from = std::min(std::exchange(content_->dirty_from, SimDisk::kClean), durable.size());
    durable.replace(from, Bytes::npos, content_->current, from, Bytes::npos);
    return {};
  }
  Result<Bytes> read_at(std::uint64_t offset, std::size_t length) override {
    if (offset >= content_->current.size()) return Bytes();
    return content_->current.substr(offset, length);
  }
  Result<std::uint64_t> size() override { return content_->current.size(); }
  Result<void> truncate(std::uint64_t size) override {
    const std::uint64_t before = content_->current.size();
    if (disk_.space_ && before > size) *disk_.space_ += before - size;
    content_->current.resize(size, '\0');
    content_->dirty_from = std::min<std::size_t>(content_->dirty_from, size);
    return {};
  }

 private:
  SimDisk& disk_;
  std::shared_ptr<SimDisk::Content> content_;
};

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, bool create) {
  auto found = files_.find(path);
  if (found == files_.end()) {
    if (!create) return fail(ErrorKind::not_found, "there is no file " + path);
    if (auto room = take_space(1); !room) return tl::unexpected(room.error());
    found = files_.emplace(path, std::make_shared<Content>()).first;
  }
  return std::make_unique<SimFile>(*this, found->second);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& [path, content] : files_) {
    if (path.starts_with(folder + "/")) names.push_back(path.substr(folder.size() + 1));
  }
  return names;
}

Result<void> SimDisk::remove(const std::string& path) {
  const auto file = files_.extract(path);
  if (space_ && file) *space_ += 1 + file.mapped()->current.size();
  return {};
}

Result<void> SimDisk::flush_folder(const std::string&) {
  durable_names_ = files_;
  return {};
}

Result<void> SimDisk::take_space(std::uint64_t bytes) {
  if (!space_) return {};
  if (*space_ < bytes) return fail(ErrorKind::disk_full, "the data disk is full: free some space and carry on");
  *space_ -= bytes;
  return {};
}

// A part of what was written, its end garbage.
void SimDisk::tear(Bytes& durable, const Bytes& current) {
  const std::size_t common = std::min(durable.size(), current.size());
  const std::size_t from = static_cast<std::size_t>(
      std::mismatch(durable.begin(), durable.begin() + static_cast<std::ptrdiff_t>(common), current.begin()).first -
      durable.begin());
  if (from == current.size()) return;  // it was only shortened
  const std::size_t to = std::max(current.find_last_not_of('\0') + 1, from + 1);
  const std::size_t end = from + random_.below(to - from + 1);
  if (durable.size() < end) durable.resize(end, '\0');
  durable.replace(from, end - from, current, from, end - from);
  if (end > from && random_.below(2) == 0) durable[end - 1] = static_cast<char>(~durable[end - 1]);
}

void SimDisk::power_cut() {
  files_ = durable_names_;
  for (auto& [path, content] : files_) {
    Bytes& durable = content->durable;
    const Bytes& current = content->current;
    if (current == durable) continue;
    if (random_.below(3) == 0) {
      durable = current;  // it happened to reach the disk
    } else if (random_.below(2) == 0) {
      tear(durable, current);
    }
    content->current = durable;
    content->dirty_from = kClean;
  }
}

bool SimDisk::all_flushed() const {
  return std::all_of(files_.begin(), files_.end(), [this](const auto& file) {
    const auto named = durable_names_.find(file.first);
    return file.second->dirty_from == kClean && named != durable_names_.end() && named->second == file.second;
  });
}

std::map<std::string, std::uint64_t> SimDisk::used() const {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [path, content] : files_) out[path] = content->durable.find_last_not_of('\0') + 1;
  return out;
}

bool SimDisk::rot(const std::string& path, std::uint64_t offset) {
  const auto found = files_.find(path);
  if (found == files_.end() || found->second->durable.size() <= offset) return false;
  for (Bytes* bytes : {&found->second->durable, &found->second->current})
    (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ 0x10);
  return true;
}

SimDisk::Image SimDisk::image() const {
  Image image;
  for (const auto& [path, content] : durable_names_) image.files[path] = content->durable;
  return image;
}

void SimDisk::restore(const Image& image) {
  files_.clear();
  for (const auto& [path, bytes] : image.files) files_[path] = std::make_shared<Content>(Content{bytes, bytes, kClean});
  durable_names_ = files_;
}

}  // namespace tillsync::sim
