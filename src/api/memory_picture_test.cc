#include "sardonyx/memory_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sardonyx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

MemoryReport piece(std::string name, size_t bytes, size_t offset, size_t first, size_t last) {
  MemoryReport result;
  result.name = std::move(name);
  result.op = "Relu";
  result.dtype = DType::kFloat32;
  result.shape = {static_cast<int64_t>(bytes / 4)};
  result.bytes = bytes;
  result.offset = offset;
  result.first_step = first;
  result.last_step = last;
  return result;
}

PlanReport report_of(size_t steps, std::vector<MemoryReport> pieces) {
  PlanReport report;
  report.steps.resize(steps);
  for (StepReport& step : report.steps) step.op = "Relu";
  report.memory = std::move(pieces);
  for (const MemoryReport& p : report.memory) report.peak_memory = std::max(report.peak_memory, p.offset + p.bytes);
  report.lower_bound_memory = report.peak_memory;
  return report;
}

TEST(MemoryPicture, HasARectangleForEachPiece) {
  const PlanReport report = report_of(3, {piece("a", 400, 0, 0, 1), piece("b", 400, 448, 1, 2)});
  const std::string svg = memory_picture(report);
  EXPECT_THAT(svg, HasSubstr("<title>a\nfloat [100]\n400 B (400 bytes) at 0\nRelu, steps 0 to 1</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>b\n"));
  EXPECT_THAT(svg, HasSubstr("peak: 848 bytes"));
  EXPECT_EQ(count(svg, "<rect"), 3U);  // and the background
  EXPECT_EQ(svg, memory_picture(report));
}

TEST(MemoryPicture, EscapesNames) {
  const std::string svg = memory_picture(report_of(1, {piece("<a&\"b\">\x01\xFFü", 64, 0, 0, 0)}));
  EXPECT_THAT(svg, HasSubstr("&lt;a&amp;&quot;b&quot;&gt;\xEF\xBF\xBD\xEF\xBF\xBDü"));
  EXPECT_THAT(svg, Not(HasSubstr("<a&")));
}

TEST(MemoryPicture, ShortensLongNames) {
  const std::string svg = memory_picture(report_of(1, {piece(std::string(100000, 'x'), 64, 0, 0, 0)}));
  EXPECT_LT(svg.size(), 10000U);
  EXPECT_THAT(svg, HasSubstr("xxx…"));
}

TEST(MemoryPicture, CountsWhatItLeavesOut) {
  std::vector<MemoryReport> pieces = {piece("large", 1 << 20, 0, 0, 99999)};
  for (size_t i = 0; i < 50000; ++i) pieces.push_back(piece("small", 64, 1 << 20, i, i));
  const std::string svg = memory_picture(report_of(100000, std::move(pieces)));
  EXPECT_THAT(svg, HasSubstr("50000 of 50001 pieces are too small to draw (the largest 64 B)"));
  EXPECT_LT(svg.size(), 100000U);
}

TEST(MemoryPicture, KeepsTheLargestWhereThereAreTooMany) {
  std::vector<MemoryReport> pieces;
  for (size_t step = 0; step < 500; ++step) {
    for (size_t i = 0; i < 40; ++i) pieces.push_back(piece("p", 64 * (1 + i % 2), i * 128, step, step));
  }
  const std::string svg = memory_picture(report_of(500, std::move(pieces)));
  EXPECT_EQ(count(svg, "<title>p\n"), 8000U);
  EXPECT_THAT(svg, HasSubstr("12000 of 20000 pieces are too small to draw (the largest 128 B)"));
}

TEST(MemoryPicture, DrawsAnEmptyPlan) {
  const std::string svg = memory_picture(report_of(0, {}));
  EXPECT_THAT(svg, HasSubstr("0 steps, peak 0 B"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
}

TEST(MemoryBars, TellWhatIsAlive) {
  const PlanReport report = report_of(3, {piece("a", 400, 0, 0, 1), piece("b", 400, 400, 1, 2)});
  EXPECT_THAT(alive_bytes(report), ElementsAre(400U, 800U, 400U));
  EXPECT_EQ(memory_bars(report, 10), "0  Relu      400 B  #####\n1  Relu      800 B  ##########\n2  Relu      400 B  #####\n");
}

}  // namespace
}  // namespace sardonyx
