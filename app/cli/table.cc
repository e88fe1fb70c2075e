#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace sardonyx::cli {

namespace {
constexpr size_t kGap = 2;       // between columns
constexpr int kBeforeNames = 8;  // columns of these ranks are left out before others become narrower

// The end of a text, which tells more than its beginning in names like "/layer/conv/Conv".
std::string cut(const std::string& text, size_t width) {
  if (text.size() <= width) return text;
  size_t begin = text.size() - width + 1;
  while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;  // within a symbol of several bytes
  return "~" + text.substr(begin);
}

// A column that is shown: which one, and how wide.
struct Shown {
  size_t index, width;
};

size_t total_width(const std::vector<Shown>& shown) {
  const size_t gaps = shown.empty() ? 0 : kGap * (shown.size() - 1);
  return std::accumulate(shown.begin(), shown.end(), gaps, [](size_t sum, const Shown& column) { return sum + column.width; });
}

// Leaves out the columns of the greatest ranks, as long as those are at least `rank` and lines are too long.
void leave_out(std::vector<Shown>& shown, const std::vector<Column>& columns, size_t width, int rank) {
  const auto rank_of = [&](const Shown& column) { return columns[column.index].rank; };
  while (total_width(shown) > width && shown.size() > 1) {
    const auto last = std::ranges::max_element(shown, {}, rank_of);
    if (rank_of(*last) < rank) return;
    shown.erase(last);
  }
}

// Makes the widest columns narrower.
void shrink(std::vector<Shown>& shown, const std::vector<Column>& columns, size_t width) {
  for (size_t total = total_width(shown); total > width; --total) {
    Shown* widest = nullptr;
    for (Shown& column : shown) {
      const size_t least = columns[column.index].shrinks;
      if (least > 0 && column.width > least && (!widest || column.width > widest->width)) widest = &column;
    }
    if (!widest) return;
    --widest->width;
  }
}

std::string line(const std::vector<Column>& columns, const std::vector<Shown>& shown, const auto& cell_of) {
  std::string text;
  for (const Shown& column : shown) {
    const std::string cell = cut(cell_of(column.index), column.width);
    if (!text.empty() || &column != &shown.front()) text.append(kGap, ' ');
    text += columns[column.index].right ? fmt::format("{:>{}}", cell, column.width) : fmt::format("{:<{}}", cell, column.width);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}
}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

size_t Table::widest(size_t column) const {
  size_t width = columns_[column].title.size();
  for (const std::vector<std::string>& cells : rows_) width = std::max(width, cells[column].size());
  return width;
}

std::vector<std::string> Table::lines(size_t width) const {
  std::vector<Shown> shown;
  for (size_t i = 0; i < columns_.size(); ++i) shown.push_back({i, widest(i)});
  if (width > 0) {
    leave_out(shown, columns_, width, kBeforeNames);
    shrink(shown, columns_, width);
    leave_out(shown, columns_, width, 1);
  }
  std::vector<std::string> lines = {line(columns_, shown, [&](size_t i) -> const std::string& { return columns_[i].title; })};
  for (const std::vector<std::string>& cells : rows_) {
    lines.push_back(line(columns_, shown, [&](size_t i) -> const std::string& { return cells[i]; }));
  }
  return lines;
}

std::string Table::text(size_t width) const {
  std::string text;
  for (const std::string& one : lines(width)) text += one;
  return text;
}

std::string wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out, line(indent, ' ');
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (width > 0 && line.size() > indent && line.size() + 1 + word.size() > width) {
      out += line + "\n";
      line.assign(indent + 2, ' ');
    } else if (line.size() > indent) {
      line += ' ';
    }
    line += word;
    begin = end + 1;
  }
  return out + line + "\n";
}

}  // namespace sardonyx::cli
