#include <tillsync/till.hpp>

#include "transport/base/clock.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

struct Till::Impl {
  std::unique_ptr<TillRuntime> runtime;
};

namespace {
Log log_of(const TillConfig& config) {
  return [log = config.log](const Notice& notice) {
    constexpr const char* kNames[] = {"info", "warning", "error"};
    if (log) log(kNames[static_cast<int>(notice.weight)], notice.text);
  };
}
}  // namespace

Result<std::unique_ptr<Till>> Till::open(TillConfig config) {
  TillRuntime::Options options{config.folder, config.branch, config.till, config.network, true, {}};
  auto runtime = TillRuntime::open(std::move(options), log_of(config));
  if (!runtime) return tl::unexpected(runtime.error());
  return std::unique_ptr<Till>(new Till(std::make_unique<Impl>(Impl{std::move(*runtime)})));
}

Till::Till(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Till::~Till() = default;

Result<Receipt> Till::record(const OpDraft& draft) { return impl_->runtime->record(draft); }

void Till::record(const OpDraft& draft, std::function<void(Result<Receipt>)> done) {
  impl_->runtime->record(draft, std::move(done));
}

Result<Level> Till::where(const std::string& key) {
  return impl_->runtime->ask([&] { return impl_->runtime->node().where(key); });
}

Result<Level> Till::wait(const std::string& key, Level level, std::chrono::milliseconds limit) {
  std::promise<Result<Level>> done;
  impl_->runtime->wait(key, level, limit, [&](Result<Level> reached) { done.set_value(std::move(reached)); });
  return done.get_future().get();
}

Status Till::status() {
  return impl_->runtime->ask([&] { return impl_->runtime->status(); });
}

std::optional<Quantity> Till::stock(const std::string& sku) {
  const auto milli = impl_->runtime->ask([&] { return impl_->runtime->node().stock(sku); });
  return milli ? std::optional(Quantity{*milli}) : std::nullopt;
}

std::map<std::string, Quantity> Till::stock() {
  std::map<std::string, Quantity> all;
  for (const auto& [sku, milli] : impl_->runtime->ask([&] { return impl_->runtime->node().all_stock(); }))
    all[sku] = Quantity{milli};
  return all;
}

Availability Till::available(const std::string& sku, Quantity quantity) {
  return impl_->runtime->ask([&] { return impl_->runtime->node().available(sku, quantity, read_clock()); });
}

Result<Receipt> Till::edit(const std::string& kind, const std::string& id, const std::map<std::string, Bytes>& changes,
                           const std::string& key, const std::string& by) {
  OpDraft draft = impl_->runtime->ask([&] { return impl_->runtime->node().draft_edit(kind, id, changes, false); });
  draft.key = key;
  draft.cashier = by;
  return record(draft);
}

std::optional<Row> Till::row(const std::string& kind, const std::string& id) {
  return impl_->runtime->ask([&] { return impl_->runtime->node().row({"tenant", kind}, id); });
}

}  // namespace tillsync
