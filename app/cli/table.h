// Aligned columns of text that make do with the width there is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sardonyx::cli {

struct Column {
  std::string title;
  bool right = false;
  int rank = 0;        // the greatest is left out first where lines are too long; 0: never. From 8 on: before other columns are shrunk
  size_t shrinks = 0;  // to this width, if need be; 0: never
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);
  // One cell for each column.
  void add(std::vector<std::string> cells);
  // The titles, then the rows, each with a line break; of at most `width` characters, as far as that is possible (0: as long as they are).
  std::vector<std::string> lines(size_t width) const;
  std::string text(size_t width) const;

 private:
  size_t widest(size_t column) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Words in lines of at most `width` characters (0: one line), the first behind `indent` spaces, the others behind two more.
std::string wrapped(std::string_view text, size_t indent, size_t width);

}  // namespace sardonyx::cli
