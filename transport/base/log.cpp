#include "transport/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

#include "transport/base/clock.hpp"
#include "transport/base/json_text.hpp"
#include "transport/base/repeats.hpp"

namespace tillsync {

namespace {

struct Filter {  // notices come from several threads
  std::mutex mutex;
  RepeatFilter repeats;
};

spdlog::level::level_enum level_of(Notice::Weight weight) {
  switch (weight) {
    case Notice::Weight::info:
      return spdlog::level::info;
    case Notice::Weight::warning:
      return spdlog::level::warn;
    case Notice::Weight::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

Log stderr_log(const std::string& who, LogStyle style) {
  auto logger = std::make_shared<spdlog::logger>(who, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(style.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","who":"%n","text":%v})"
                                 : "%Y-%m-%dT%H:%M:%S.%e level=%l who=%n %v");
  logger->set_level(style.verbose ? spdlog::level::debug : spdlog::level::info);
  auto filter = std::make_shared<Filter>();
  return [logger, filter, json = style.json](const Notice& notice) {
    const std::lock_guard lock(filter->mutex);
    for (const Notice& each : filter->repeats.on(read_clock().mono, notice))
      logger->log(level_of(each.weight), json ? json_text(each.text) : each.text);
  };
}

}  // namespace tillsync
