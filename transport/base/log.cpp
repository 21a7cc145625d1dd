#include "transport/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "transport/api/json_text.hpp"

namespace tillsync {

Log stderr_log(const std::string& who, LogStyle style) {
  auto logger = std::make_shared<spdlog::logger>(who, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(style.json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","who":"%n","text":%v})"
                                 : "%Y-%m-%dT%H:%M:%S.%e level=%l who=%n %v");
  logger->set_level(style.verbose ? spdlog::level::debug : spdlog::level::info);
  return [logger, json = style.json](const Notice& notice) {
    const std::string text = json ? json_text(notice.text) : notice.text;
    switch (notice.weight) {
      case Notice::Weight::info:
        return logger->info(text);
      case Notice::Weight::warning:
        return logger->warn(text);
      case Notice::Weight::error:
        return logger->error(text);
    }
  };
}

}  // namespace tillsync
