#include "transport/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tillsync {

Log stderr_log(const std::string& who, bool verbose) {
  auto logger = std::make_shared<spdlog::logger>(who, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e level=%l who=%n %v");
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
  return [logger](const Notice& notice) {
    switch (notice.weight) {
      case Notice::Weight::info:
        return logger->info(notice.text);
      case Notice::Weight::warning:
        return logger->warn(notice.text);
      case Notice::Weight::error:
        return logger->error(notice.text);
    }
  };
}

}  // namespace tillsync
