#include "sardonyx/memory_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "core/utf8.h"

namespace sardonyx {
namespace {

constexpr double kLeft = 90, kTop = 50, kWidth = 1080, kHeight = 520, kLegend = 230, kBottom = 70;
constexpr size_t kMostPieces = 8000, kMostLegend = 20, kMostColumns = 1080, kMostName = 200;

// Text for element content and attributes of XML 1.0: what it does not allow becomes U+FFFD.
std::string escaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t length = core::utf8_length(text, i);
    const std::string_view symbol = text.substr(i, std::max<size_t>(length, 1));
    const bool control = length == 1 && static_cast<unsigned char>(symbol[0]) < 0x20;
    const bool noncharacter = symbol == "\xEF\xBF\xBE" || symbol == "\xEF\xBF\xBF";
    if (length == 0 || control || noncharacter) {
      out += "\xEF\xBF\xBD";
    } else if (symbol == "&") {
      out += "&amp;";
    } else if (symbol == "<") {
      out += "&lt;";
    } else if (symbol == ">") {
      out += "&gt;";
    } else if (symbol == "\"") {
      out += "&quot;";
    } else {
      out += symbol;
    }
    i += symbol.size();
  }
  return out;
}

// The beginning of a name that may be of any length.
std::string shortened(const std::string& name) {
  if (name.size() <= kMostName) return escaped(name);
  size_t end = 0;
  while (end < kMostName) end += std::max<size_t>(core::utf8_length(name, end), 1);
  return escaped(std::string_view(name).substr(0, end)) + "…";
}

std::string human(size_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.4g} {}", value, kUnits[unit]);
}

// A round step that gives four to ten marks up to `greatest`.
double mark_distance(double greatest) {
  double distance = 1;
  while (distance * 10 < greatest) distance *= 10;
  while (distance * 4 > greatest && distance > 1) distance /= distance * 2 > greatest ? 5 : 2;
  return std::max(distance, 1.0);
}

class Picture {
 public:
  explicit Picture(const PlanReport& report)
      : report_(report),
        steps_(static_cast<double>(std::max<size_t>(report.steps.size(), 1))),
        top_(static_cast<double>(std::max<size_t>({report.peak_memory, report.lower_bound_memory, 1}))) {}

  std::string draw() {
    choose_colours();
    open();
    draw_axes();
    draw_pieces();
    draw_alive();
    draw_level(report_.lower_bound_memory, "lower bound", "6 4");
    draw_level(report_.peak_memory, "peak", "");
    draw_legend();
    add("</svg>\n");
    return std::move(text_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
  }
  double x(double step) const { return kLeft + kWidth * step / steps_; }
  double y(double address) const { return kTop + kHeight * (1 - address / top_); }
  static bool is_large(double width, double height) { return height >= 0.5 && width >= 0.5; }

  void open() {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n",
        kLeft + kWidth + kLegend, kTop + kHeight + kBottom);
    add("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"{:.1f}\" y=\"24\" font-size=\"15\">Memory plan: {} steps, peak "
        "{}, lower bound {} ({:.3f})</text>\n",
        kLeft, report_.steps.size(), human(report_.peak_memory), human(report_.lower_bound_memory),
        report_.lower_bound_memory > 0 ? static_cast<double>(report_.peak_memory) / static_cast<double>(report_.lower_bound_memory) : 1);
  }

  // Operators by the bytes they make; the first ones get hues of their own, far apart.
  void choose_colours() {
    std::map<std::string, size_t> bytes;
    for (const MemoryReport& piece : report_.memory) bytes[piece.scratch ? "scratch" : piece.op] += piece.bytes;
    kinds_.assign(bytes.begin(), bytes.end());
    std::ranges::stable_sort(kinds_, [](const auto& a, const auto& b) { return a.second > b.second; });
    for (size_t i = 0; i < kinds_.size(); ++i) {
      const std::string colour = kinds_[i].first == "scratch" ? "#b8b8b8" : fmt::format("hsl({}, 62%, {}%)", i * 137 % 360, 58 + i % 3 * 8);
      colours_[kinds_[i].first] = colour;
    }
  }

  void draw_axes() {
    add("<g stroke=\"#d8d8d8\">\n");
    const double bytes = mark_distance(top_), count = mark_distance(steps_);
    for (double at = 0; at <= top_; at += bytes) add("<path d=\"M{:.1f} {:.1f}h{:.1f}\"/>\n", kLeft, y(at), kWidth);
    add("</g>\n<g text-anchor=\"end\">\n");
    for (double at = 0; at <= top_; at += bytes)
      add("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kLeft - 6, y(at) + 4, human(static_cast<size_t>(at)));
    add("</g>\n<g text-anchor=\"middle\">\n");
    for (double at = 0; at < steps_; at += count)
      add("<text x=\"{:.1f}\" y=\"{:.1f}\">{:.0f}</text>\n", x(at + 0.5), kTop + kHeight + 16, at);
    add("<text x=\"{:.1f}\" y=\"{:.1f}\">step</text>\n", kLeft + kWidth / 2, kTop + kHeight + 36);
    add("<text transform=\"translate(16 {:.1f}) rotate(-90)\">address</text>\n</g>\n", kTop + kHeight / 2);
  }

  // The largest ones where there are too many.
  void draw_pieces() {
    std::vector<const MemoryReport*> drawn;
    size_t omitted_bytes = 0;
    const auto area = [](const MemoryReport& p) {
      return static_cast<double>(p.bytes) * static_cast<double>(p.last_step - p.first_step + 1);
    };
    for (const MemoryReport& piece : report_.memory) {
      const double width = kWidth * static_cast<double>(piece.last_step - piece.first_step + 1) / steps_;
      if (is_large(width, kHeight * static_cast<double>(piece.bytes) / top_))
        drawn.push_back(&piece);
      else
        omitted_bytes = std::max(omitted_bytes, piece.bytes);
    }
    if (drawn.size() > kMostPieces) {
      std::ranges::stable_sort(drawn, [&](const auto* a, const auto* b) { return area(*a) > area(*b); });
      for (size_t i = kMostPieces; i < drawn.size(); ++i) omitted_bytes = std::max(omitted_bytes, drawn[i]->bytes);
      drawn.resize(kMostPieces);
    }
    add("<g stroke=\"#404040\" stroke-width=\"0.4\">\n");
    for (const MemoryReport* piece : drawn) draw_piece(*piece);
    add("</g>\n");
    const size_t omitted = report_.memory.size() - drawn.size();
    if (omitted == 0) return;
    add("<text x=\"{:.1f}\" y=\"{:.1f}\">{} of {} pieces are too small to draw (the largest {})</text>\n", kLeft, kTop + kHeight + 56,
        omitted, report_.memory.size(), human(omitted_bytes));
  }

  void draw_piece(const MemoryReport& piece) {
    const auto first = static_cast<double>(piece.first_step), last = static_cast<double>(piece.last_step + 1);
    const double top = y(static_cast<double>(piece.offset + piece.bytes)), height = kHeight * static_cast<double>(piece.bytes) / top_;
    add("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"><title>", x(first), top, x(last) - x(first), height,
        colours_.at(piece.scratch ? "scratch" : piece.op));
    add("{}{}\n", piece.scratch ? "scratch of " : "", shortened(piece.name));
    if (!piece.scratch) add("{} {}\n", to_string(piece.dtype), to_string(piece.shape));
    add("{} ({} bytes) at {}\n{}, steps {} to {}", human(piece.bytes), piece.bytes, piece.offset, escaped(piece.op), piece.first_step,
        piece.last_step);
    constexpr size_t kMostShared = 8;
    for (size_t i = 0; i < std::min(piece.shared.size(), kMostShared); ++i) add("\nalso {}", shortened(piece.shared[i]));
    if (piece.shared.size() > kMostShared) add("\nand {} more", piece.shared.size() - kMostShared);
    add("</title></rect>\n");
  }

  // What is alive, step by step; the most of each column where steps are narrower than a column.
  void draw_alive() {
    const std::vector<size_t> alive = alive_bytes(report_);
    if (alive.empty()) return;
    const size_t columns = std::min(alive.size(), kMostColumns);
    add("<path fill=\"none\" stroke=\"#000000\" stroke-width=\"1.2\" d=\"M{:.1f} {:.1f}", kLeft, y(0));
    for (size_t column = 0; column < columns; ++column) {
      const size_t begin = column * alive.size() / columns, end = (column + 1) * alive.size() / columns;
      const size_t most = *std::max_element(alive.begin() + static_cast<ptrdiff_t>(begin), alive.begin() + static_cast<ptrdiff_t>(end));
      add("V{:.1f}H{:.1f}", y(static_cast<double>(most)), x(static_cast<double>(end)));
    }
    add("V{:.1f}\"><title>bytes alive at each step</title></path>\n", y(0));
  }

  void draw_level(size_t bytes, std::string_view name, std::string_view dashes) {
    const double at = y(static_cast<double>(bytes));
    add("<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"#c00000\" stroke-width=\"1.5\" stroke-dasharray=\"{}\"><title>{}: {} "
        "bytes</title></path>\n",
        kLeft, at, kWidth, dashes.empty() ? "none" : dashes, name, bytes);
  }

  void draw_legend() {
    const double left = kLeft + kWidth + 16;
    double at = kTop + 6;
    const auto line = [&](std::string_view sample, std::string_view text) {
      add("<path d=\"M{:.1f} {:.1f}h14\" {}/>\n<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", left, at - 4, sample, left + 20, at, text);
      at += 18;
    };
    line("stroke=\"#c00000\" stroke-width=\"1.5\"", "peak");
    line("stroke=\"#c00000\" stroke-width=\"1.5\" stroke-dasharray=\"4 3\"", "lower bound");
    line("stroke=\"#000000\" stroke-width=\"1.2\"", "alive");
    for (size_t i = 0; i < std::min(kinds_.size(), kMostLegend); ++i) {
      line(fmt::format("stroke=\"{}\" stroke-width=\"10\"", colours_.at(kinds_[i].first)),
           escaped(kinds_[i].first.size() > 28 ? kinds_[i].first.substr(kinds_[i].first.size() - 28) : kinds_[i].first));
    }
    if (kinds_.size() > kMostLegend) line("stroke=\"none\"", fmt::format("and {} more operators", kinds_.size() - kMostLegend));
  }

  const PlanReport& report_;
  const double steps_, top_;
  std::string text_;
  std::vector<std::pair<std::string, size_t>> kinds_;  // operators, or "scratch", and their bytes
  std::map<std::string, std::string> colours_;
};

}  // namespace

std::vector<size_t> alive_bytes(const PlanReport& report) {
  std::vector<int64_t> change(report.steps.size() + 1, 0);
  for (const MemoryReport& piece : report.memory) {
    change.at(piece.first_step) += static_cast<int64_t>(piece.bytes);
    change.at(piece.last_step + 1) -= static_cast<int64_t>(piece.bytes);
  }
  std::vector<size_t> alive;
  int64_t sum = 0;
  for (size_t i = 0; i < report.steps.size(); ++i) alive.push_back(static_cast<size_t>(sum += change[i]));
  return alive;
}

std::string memory_picture(const PlanReport& report) { return Picture(report).draw(); }

std::string memory_bars(const PlanReport& report, size_t width) {
  const std::vector<size_t> alive = alive_bytes(report);
  const size_t peak = std::max<size_t>(report.peak_memory, 1);
  size_t op_width = 0;
  for (const StepReport& step : report.steps) op_width = std::max(op_width, std::min<size_t>(step.op.size(), 24));
  const size_t number_width = std::to_string(alive.size()).size();
  std::string text;
  for (size_t i = 0; i < alive.size(); ++i) {
    const auto share = static_cast<double>(alive[i]) / static_cast<double>(peak);
    const auto filled = std::min(width, static_cast<size_t>(share * static_cast<double>(width) + 0.5));
    text += fmt::format("{:>{}}  {:<{}}  {:>9}  {}\n", i, number_width, report.steps[i].op.substr(0, 24), op_width, human(alive[i]),
                        std::string(filled, '#'));
  }
  return text;
}

}  // namespace sardonyx
