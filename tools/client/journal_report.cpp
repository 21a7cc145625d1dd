#include "tools/client/journal_report.hpp"

#include <iostream>

#include "storage/journal/journal.hpp"
#include "tools/client/failure.hpp"

namespace tillsync::client {

bool report_journal(const std::string& data) {
  auto disk = posix_disk();
  const JournalReport report = require(Journal::verify(*disk, data + "/journal", [](JournalPosition, ByteView) {}));
  std::cout << "journal: " << report.ops << " ops in " << report.batches << " batches, up to segment "
            << report.end.segment << ", offset " << report.end.offset << '\n';
  bool sound = true;
  for (const JournalDamage& d : report.damage) {
    sound = sound && !d.behind_flush;
    std::cout << "journal: " << (d.behind_flush ? "DAMAGED" : "an unfinished end") << " at segment " << d.at.segment
              << ", offset " << d.at.offset << ", " << d.bytes << " bytes"
              << (d.behind_flush ? ": restart the till; it fetches back what others hold"
                                 : ": the next start sets it aside")
              << '\n';
  }
  return sound;
}

Finding journal_finding(const std::string& data) {
  auto disk = posix_disk();
  const auto report = Journal::verify(*disk, data + "/journal", [](JournalPosition, ByteView) {});
  if (!report) return {"journal", false, report.error().message};
  for (const JournalDamage& each : report->damage) {
    if (each.behind_flush)
      return {"journal", false,
              "DAMAGED at segment " + std::to_string(each.at.segment) + ", offset " + std::to_string(each.at.offset) +
                  ": restart the till; it fetches back what others hold"};
  }
  return {"journal", true, "sound, " + std::to_string(report->ops) + " ops"};
}

}  // namespace tillsync::client
