// The picture of a run: one page with its drawing inside, no script, nothing fetched.
#include <algorithm>
#include <functional>
#include <sstream>

#include "sim/scenario/run.hpp"
#include "sim/scenario/timeline.hpp"

namespace tillsync::sim {

namespace {

constexpr int kLeft = 110, kWidth = 1000, kLane = 54, kChart = 150;

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

class Page {
 public:
  Page(const Scenario& scenario, const Outcome& outcome, const Timeline& timeline)
      : scenario_(scenario), outcome_(outcome), looks_(timeline.looks()) {
    for (const auto& look : looks_) {
      for (const auto& [name, till] : look.tills) {
        if (std::find(lanes_.begin(), lanes_.end(), name) == lanes_.end()) lanes_.push_back(name);
        most_unsent_ = std::max(most_unsent_, till.unsent);
      }
      most_ops_ = std::max(most_ops_, look.in_cloud);
    }
    lanes_.emplace_back("cloud");
    end_ = looks_.empty() ? scenario.length : std::max(looks_.back().at, scenario.length);
  }

  std::string html() {
    head();
    out_ << "<svg viewBox='0 0 " << kLeft + kWidth + 40 << ' ' << height() << "' role='img' aria-label='timeline'>\n";
    for (std::size_t i = 0; i < lanes_.size(); ++i) lane(i);
    chart();
    axis();
    out_ << "</svg>\n";
    tail();
    return out_.str();
  }

 private:
  int height() const { return 30 + static_cast<int>(lanes_.size()) * kLane + kChart + 40; }
  int top(std::size_t lane) const { return 20 + static_cast<int>(lane) * kLane; }
  double x(Duration at) const {
    return kLeft + kWidth * static_cast<double>(at.count()) /
                       static_cast<double>(std::max<Duration>(end_, Duration(1)).count());
  }

  void rect(Duration from, Duration to, int y, int height, const char* css, const std::string& title) {
    out_ << "<rect class='" << css << "' x='" << x(from) << "' y='" << y << "' width='"
         << std::max(0.6, x(to) - x(from)) << "' height='" << height << "'><title>" << escaped(title) << ", "
         << scenario_.clock_time(from) << " to " << scenario_.clock_time(to) << "</title></rect>\n";
  }

  // A bar wherever `what` names something, as long as it names the same.
  void bars(int y, int height, const std::function<std::pair<const char*, std::string>(const Timeline::Look&)>& what) {
    for (std::size_t i = 0; i < looks_.size();) {
      const auto now = what(looks_[i]);
      std::size_t j = i + 1;
      while (j < looks_.size() && what(looks_[j]) == now) ++j;
      const Duration to = j < looks_.size() ? looks_[j].at : end_;
      if (now.first != nullptr) rect(looks_[i].at, to, y, height, now.first, now.second);
      i = j;
    }
  }

  void lane(std::size_t index) {
    using What = std::pair<const char*, std::string>;
    const std::string& name = lanes_[index];
    const int y = top(index);
    out_ << "<text class='name' x='" << kLeft - 10 << "' y='" << y + 28 << "'>" << escaped(name) << "</text>\n";
    out_ << "<rect class='lane' x='" << kLeft << "' y='" << y << "' width='" << kWidth << "' height='" << kLane - 8
         << "'/>\n";
    bars(y, kLane - 8, [&](const Timeline::Look& look) -> What {
      std::string others;
      for (const auto& [from, to] : look.cuts) {
        if (from == name || to == name)
          others += (others.empty() ? "" : ", ") + (from == name ? "to " + to : "from " + from);
      }
      return others.empty() ? What{} : What{"cut", name + " cut off: nothing " + others};
    });
    if (name == "cloud") {
      bars(y + 12, 22, [](const Timeline::Look& look) -> What {
        return look.cloud_up ? What{"cloud", "the cloud runs"} : What{"down", "the cloud is down"};
      });
      return;
    }
    bars(y + 6, 14, [&](const Timeline::Look& look) -> What {
      const auto it = look.tills.find(name);
      if (it == look.tills.end()) return {};
      const Timeline::Till& till = it->second;
      if (!till.up) return {"down", name + " is down"};
      if (till.suspended) return {"suspended", name + " stands still"};
      if (till.lease == LeaseKind::exclusive) return {"exclusive", name + " hosts, exclusively"};
      if (till.lease == LeaseKind::provisional) return {"provisional", name + " hosts, provisionally"};
      return till.follows.empty() ? What{"alone", name + " follows nobody"}
                                  : What{"follows", name + " follows " + till.follows};
    });
    queue(name, y + 24, kLane - 8 - 26);
  }

  // Ops that wait, as an area.
  void queue(const std::string& name, int y, int height) {
    if (most_unsent_ == 0) return;
    out_ << "<polygon class='queue' points='" << x({}) << ',' << y + height;
    for (const auto& look : looks_) {
      const auto it = look.tills.find(name);
      const double share =
          it == look.tills.end() ? 0 : static_cast<double>(it->second.unsent) / static_cast<double>(most_unsent_);
      out_ << ' ' << x(look.at) << ',' << y + height * (1 - share);
    }
    out_ << ' ' << x(end_) << ',' << y + height << "'><title>" << escaped(name)
         << ": ops not yet in the cloud (the tallest is " << most_unsent_ << ")</title></polygon>\n";
  }

  void line(const char* css, const std::string& title, double most,
            const std::function<double(const Timeline::Look&)>& of) {
    const int y = top(lanes_.size());
    out_ << "<polyline class='" << css << "' points='";
    for (const auto& look : looks_)
      out_ << x(look.at) << ',' << y + kChart * (1 - of(look) / std::max(1.0, most)) << ' ';
    out_ << "'><title>" << title << "</title></polyline>\n";
  }

  void chart() {
    std::uint64_t sold = 0, conflicts = 0;
    for (const auto& look : looks_) {
      sold = std::max(sold, receipts(look));
      conflicts = std::max(conflicts, look.conflicts);
    }
    const int y = top(lanes_.size());
    const auto most = static_cast<double>(std::max(sold, most_ops_));
    out_ << "<rect class='lane' x='" << kLeft << "' y='" << y << "' width='" << kWidth << "' height='" << kChart
         << "'/>\n";
    label(y + 14, std::to_string(std::max(sold, most_ops_)) + " ops");
    line("sold", "receipts handed out", most, [](const auto& look) { return static_cast<double>(receipts(look)); });
    line("stored", "ops in the cloud", most, [](const auto& look) { return static_cast<double>(look.in_cloud); });
    if (conflicts == 0) return;
    label(y + 30, std::to_string(conflicts) + " conflicts");
    line("conflicts", "conflicts found", static_cast<double>(conflicts) * 1.05,
         [](const auto& look) { return static_cast<double>(look.conflicts); });
  }

  static std::uint64_t receipts(const Timeline::Look& look) {
    std::uint64_t sum = 0;
    for (const auto& [name, till] : look.tills) sum += till.receipts;
    return sum;
  }

  void label(int y, const std::string& text) {
    out_ << "<text class='name' x='" << kLeft - 10 << "' y='" << y << "'>" << text << "</text>\n";
  }

  void axis() {
    const int bottom = top(lanes_.size()) + kChart;
    constexpr int kMarks = 8;
    for (int i = 0; i <= kMarks; ++i) {
      const Duration at = end_ / kMarks * i;
      out_ << "<line class='mark' x1='" << x(at) << "' x2='" << x(at) << "' y1='14' y2='" << bottom + 4
           << "'/><text class='time' x='" << x(at) << "' y='" << bottom + 20 << "'>"
           << scenario_.clock_time(at).substr(0, end_ > std::chrono::hours(2) ? 5 : 8) << "</text>\n";
    }
    if (scenario_.length < end_) {
      out_ << "<line class='healed' x1='" << x(scenario_.length) << "' x2='" << x(scenario_.length) << "' y1='14' y2='"
           << bottom << "'><title>from here on everything is healed</title></line>\n";
    }
  }

  void head() {
    const bool ok = outcome_.violations.empty();
    out_ << "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
            "content='width=device-width'>\n<title>"
         << escaped(scenario_.name)
         << "</title>\n<style>\n"
            "body{font:15px/1.45 system-ui,sans-serif;max-width:1180px;margin:24px auto;padding:0 "
            "16px;color:#1c2430;background:#fff}\n"
            "h1{font-size:22px;margin:0}p{margin:6px "
            "0}.ok{color:#146c43}.bad{color:#b02a37}pre{background:#f6f7f9;padding:12px;"
            "overflow:auto;font-size:13px}svg{width:100%;height:auto;margin:12px "
            "0}.name{font-size:12px;text-anchor:end}.time{font-size:11px;"
            "text-anchor:middle;fill:#5b6675}.lane{fill:#f3f5f8}.cut,.k-cut{fill:#f5b8bd;background:#f5b8bd}.down,.k-"
            "down{fill:#3b4552;"
            "background:#3b4552}.suspended,.k-suspended{fill:#a78bda;background:#a78bda}.exclusive,.k-exclusive{fill:#"
            "1a8a5a;background:#1a8a5a}"
            ".provisional,.k-provisional{fill:#e8a317;background:#e8a317}.follows,.k-follows{fill:#b9d9c9;background:#"
            "b9d9c9}.alone,.k-alone"
            "{fill:#fff;background:#fff;stroke:#9aa4b1;border:1px solid "
            "#9aa4b1}.cloud{fill:#b9cdf0}.queue,.k-queue{fill:#3f6fd8;"
            "background:#3f6fd8;opacity:.75}.sold{fill:none;stroke:#1c2430;stroke-width:1.6}.stored{fill:none;stroke:#"
            "3f6fd8;stroke-width:1.6}"
            ".conflicts{fill:none;stroke:#b02a37;stroke-width:1.6;stroke-dasharray:5 "
            "3}.mark{stroke:#d5dae1;stroke-width:.7}.healed{stroke:#146c43;"
            "stroke-dasharray:4 3}.key span{display:inline-block;margin-right:14px;font-size:13px}.key "
            "i{display:inline-block;width:12px;"
            "height:12px;margin-right:5px;vertical-align:-1px}\n</style></head><body>\n<h1>"
         << escaped(scenario_.name) << "</h1>\n<p>" << escaped(scenario_.story) << "</p>\n<p class='"
         << (ok ? "ok" : "bad") << "'>"
         << (ok ? "All rules and expectations held." : "BROKEN: " + escaped(outcome_.violations.front())) << "</p>\n<p>"
         << outcome_.receipts << " receipts, " << outcome_.refused << " refused, " << outcome_.ops_in_cloud
         << " ops in the cloud, " << outcome_.conflicts << " conflicts; everything everywhere " << outcome_.drained_s
         << " s after healing. Seed " << outcome_.seed << ".</p>\n<p class='key'>";
    const std::pair<const char*, const char*> keys[] = {{"exclusive", "hosts, exclusive lease"},
                                                        {"provisional", "hosts, provisional"},
                                                        {"follows", "follows a host"},
                                                        {"alone", "no host"},
                                                        {"down", "down"},
                                                        {"suspended", "standing still"},
                                                        {"cut", "cut off from some"},
                                                        {"queue", "ops not yet in the cloud"}};
    for (const auto& [css, meaning] : keys) out_ << "<span><i class='k-" << css << "'></i>" << meaning << "</span>";
    out_ << "<br><span>Below: receipts handed out (black), ops in the cloud (blue), conflicts (red).</span></p>\n";
  }

  void tail() {
    out_ << "<h2 style='font-size:17px'>What was done</h2>\n<pre>";
    for (const std::string& each : outcome_.log) out_ << escaped(each) << '\n';
    for (const std::string& each : outcome_.violations) out_ << "BROKEN " << escaped(each) << '\n';
    out_ << "</pre>\n</body></html>\n";
  }

  const Scenario& scenario_;
  const Outcome& outcome_;
  const std::vector<Timeline::Look>& looks_;
  std::vector<std::string> lanes_;
  std::uint64_t most_unsent_ = 0, most_ops_ = 0;
  Duration end_{};
  std::ostringstream out_;
};

}  // namespace

std::string html_page(const Scenario& scenario, const Outcome& outcome, const Timeline& timeline) {
  return Page(scenario, outcome, timeline).html();
}

}  // namespace tillsync::sim
