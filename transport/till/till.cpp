#include <unistd.h>

#include <algorithm>
#include <future>
#include <tillsync/till.hpp>

#include "storage/base/pack.hpp"
#include "storage/model/row_edit.hpp"
#include "transport/base/clock.hpp"
#include "transport/till/callback_thread.hpp"
#include "transport/till/till_runtime.hpp"

namespace tillsync {

// In a child that the program forked, there are no threads to answer, and the files are the parent's.
struct Till::Impl {
  CallbackThread callbacks;
  std::unique_ptr<TillRuntime> runtime = {};
  pid_t opened_by = ::getpid();

  bool forked() const { return ::getpid() != opened_by; }
  TillCore& core() { return runtime->node(); }
  template <class F>
  auto ask(F f) {
    return runtime->ask(std::move(f));
  }
};

namespace {

tl::unexpected<Error> not_ours() {
  return fail(
      ErrorKind::refused,
      "another process opened this till, and this one was forked from it: record there, or open a till after the "
      "fork");
}

Log log_to(CallbackThread& callbacks, const TillConfig& config) {
  if (!config.log) return [](const Notice&) {};
  return [&callbacks, log = config.log](const Notice& notice) {
    static constexpr const char* kNames[] = {"info", "warning", "error"};
    callbacks.call_log([log, notice] { log(kNames[static_cast<int>(notice.weight)], notice.text); });
  };
}

// An edit's draft holds the values before it, and those are other ones once it is recorded. So the same edit under the
// same key is the one that was recorded.
std::optional<Bytes> recorded_edit(TillCore& core, const std::string& key, const OpDraft& draft) {
  const auto before = core.own().history().find(key);
  if (!before || before->op.kind != OpKind::edit) return std::nullopt;
  const auto was = unpack<RowEdit>(before->op.body), is = unpack<RowEdit>(draft.custom_body);
  if (!was || !is || was->kind != is->kind || was->id != is->id || was->deletes != is->deletes) return std::nullopt;
  const bool same = std::ranges::equal(was->changes, is->changes, [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.becomes == b.second.becomes;
  });
  return same ? std::optional(before->op.body) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Till>> Till::open(TillConfig config) {
  auto impl = std::make_unique<Impl>();
  const TillOptions options{config.folder, config.branch, config.till, config.network, true, {}};
  auto runtime = TillRuntime::open(options, log_to(impl->callbacks, config));
  if (!runtime) return tl::unexpected(runtime.error());
  impl->runtime = std::move(*runtime);
  return std::unique_ptr<Till>(new Till(std::move(impl)));
}

Till::Till(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Till::~Till() {
  if (impl_->forked()) (void)impl_.release();  // its threads are the parent's, and its files
}

Result<Receipt> Till::record(const OpDraft& draft) {
  if (impl_->forked()) return not_ours();
  return impl_->runtime->record(draft);
}

void Till::record(const OpDraft& draft, std::function<void(Result<Receipt>)> done) {
  if (impl_->forked()) return done ? done(not_ours()) : void();
  if (!done) return impl_->runtime->record(draft, [](const Result<Receipt>&) {});
  impl_->runtime->record(draft, [callbacks = &impl_->callbacks, done = std::move(done)](Result<Receipt> receipt) {
    callbacks->call([done, receipt = std::move(receipt)] { done(receipt); });
  });
}

Result<Level> Till::where(const std::string& key) {
  if (impl_->forked()) return not_ours();
  return impl_->ask([&] { return impl_->core().where(key); });
}

Result<Level> Till::wait(const std::string& key, Level level, std::chrono::milliseconds limit) {
  if (impl_->forked()) return not_ours();
  std::promise<Result<Level>> done;
  impl_->runtime->wait(key, level, limit, [&](Result<Level> reached) { done.set_value(std::move(reached)); });
  return done.get_future().get();
}

Status Till::status() {
  if (impl_->forked()) {
    Status unknown;
    unknown.accepting = false;
    return unknown;
  }
  return impl_->ask([&] { return impl_->runtime->status(); });
}

std::uint64_t Till::failed_callbacks() const { return impl_->callbacks.failed(); }

std::optional<Quantity> Till::stock(const std::string& sku) {
  if (impl_->forked()) return std::nullopt;
  const auto milli = impl_->ask([&] { return impl_->core().stock(sku); });
  return milli ? std::optional(Quantity{*milli}) : std::nullopt;
}

std::map<std::string, Quantity> Till::stock() {
  if (impl_->forked()) return {};
  std::map<std::string, Quantity> all;
  for (const auto& [sku, milli] : impl_->ask([&] { return impl_->core().all_stock(); })) all[sku] = Quantity{milli};
  return all;
}

Availability Till::available(const std::string& sku, Quantity quantity) {
  if (impl_->forked()) return {};
  return impl_->ask([&] { return impl_->core().available(sku, quantity, read_clock()); });
}

Result<Receipt> Till::edit(const std::string& kind, const std::string& id, const std::map<std::string, Bytes>& changes,
                           const std::string& key, const std::string& by) {
  if (impl_->forked()) return not_ours();
  OpDraft draft = impl_->ask([&] {
    OpDraft fresh = impl_->core().draft_edit(kind, id, changes, false);
    if (auto recorded = recorded_edit(impl_->core(), key, fresh)) fresh.custom_body = std::move(*recorded);
    return fresh;
  });
  draft.key = key;
  draft.cashier = by;
  return record(draft);
}

std::optional<Row> Till::row(const std::string& kind, const std::string& id) {
  if (impl_->forked()) return std::nullopt;
  return impl_->ask([&] { return impl_->core().row({"tenant", kind}, id); });
}

}  // namespace tillsync
