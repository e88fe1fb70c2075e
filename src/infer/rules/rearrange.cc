// Operators that put the same elements elsewhere: Transpose, DepthToSpace, SpaceToDepth, and those that only check their input's rank.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "infer/rules.h"
#include "infer/rules/operands.h"
#include "infer/rules/propagation.h"

namespace sardonyx::infer {

namespace {
void expect_permutation(const NodeContext& context, const std::vector<int64_t>& perm) {
  std::vector<bool> seen(perm.size(), false);
  for (const int64_t axis : perm) {
    const bool is_axis = axis >= 0 && static_cast<uint64_t>(axis) < perm.size();
    if (!is_axis || seen[static_cast<size_t>(axis)]) {
      context.fail(fmt::format("attribute 'perm' [{}] is no permutation of the axes", fmt::join(perm, ", ")));
    }
    seen[static_cast<size_t>(axis)] = true;
  }
}

int64_t block_size(const NodeContext& context) {
  const int64_t size = model::get_int(context.node(), "blocksize", 0);
  if (size <= 0) context.fail(fmt::format("attribute 'blocksize' is {}, it must be above 0", size));
  context.expect_rank(0, 4, "input");
  return size;
}
}  // namespace

void infer_transpose(NodeContext& context) {
  const std::optional<std::vector<int64_t>> perm = context.ints_attribute("perm");
  const Dims* dims = context.shape(0);
  if (perm && dims != nullptr && perm->size() != dims->size()) {
    context.fail(fmt::format("attribute 'perm' [{}] has {} axes, the input's shape is {}", fmt::join(*perm, ", "), perm->size(),
                             context.symbols().show(*dims)));
  }
  if (perm) expect_permutation(context, *perm);
  if (dims == nullptr) {
    if (perm) context.set_shape(0, Dims(perm->size()));
    return;
  }
  Dims result(dims->rbegin(), dims->rend());
  for (size_t i = 0; perm && i < result.size(); ++i) result[i] = (*dims)[static_cast<size_t>((*perm)[i])];
  context.set_shape(0, std::move(result));
  if (std::optional<Dims> elements = elements_of(context, 0)) put_elements(context, 0, std::move(*elements));
}

void infer_depth_to_space(NodeContext& context) {
  const int64_t block = block_size(context);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const Dim area = multiply(block, block);
  context.set_shape(0, {(*dims)[0], divide_floor((*dims)[1], area), multiply((*dims)[2], block), multiply((*dims)[3], block)});
}

void infer_space_to_depth(NodeContext& context) {
  const int64_t block = block_size(context);
  const Dims* dims = context.shape(0);
  if (dims == nullptr) return;
  const Dim area = multiply(block, block);
  context.set_shape(0, {(*dims)[0], multiply((*dims)[1], area), divide_floor((*dims)[2], block), divide_floor((*dims)[3], block)});
}

void infer_reverse_sequence(NodeContext& context) {
  context.expect_min_rank(0, 2, "input");
  context.expect_rank(1, 1, "sequence_lens");
  context.copy_shape(0, 0);
}

void infer_trilu(NodeContext& context) {
  context.expect_min_rank(0, 2, "input");
  context.copy_shape(0, 0);
}

}  // namespace sardonyx::infer
