// Col2Im: blocks of an image, as columns, added back into the image.
#include <complex>

#include "kernels/cpu/conv/columns.h"
#include "ops/elements/real.h"
#include "ops/stages.h"
#include "ops/via_float/via_float.h"
#include "ops/window/window.h"

namespace sardonyx::ops {
namespace {

// Integers are added as unsigned ones, which wrap around; the sum of bools is whether any is true, that of strings all of them one after
// another.
template <class Body>
void with_sum_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kFloat32:
      return body.template operator()<float>();
    case DType::kFloat64:
      return body.template operator()<double>();
    case DType::kInt8:
    case DType::kUInt8:
      return body.template operator()<uint8_t>();
    case DType::kInt16:
    case DType::kUInt16:
      return body.template operator()<uint16_t>();
    case DType::kInt32:
    case DType::kUInt32:
      return body.template operator()<uint32_t>();
    case DType::kInt64:
    case DType::kUInt64:
      return body.template operator()<uint64_t>();
    case DType::kComplex64:
      return body.template operator()<std::complex<float>>();
    case DType::kComplex128:
      return body.template operator()<std::complex<double>>();
    case DType::kBool:
      return body.template operator()<bool>();
    case DType::kString:
      return body.template operator()<std::string>();
    default:
      throw unsupported_error("elements of type {} cannot be added", type_string(dtype));
  }
}

// `columns`: elements of all columns of one plane of the image.
template <class T>
void add_planes(const kernels::Window& window, size_t columns, const RunContext& r) {
  const T* from = input_data<T>(r, 0);
  T* to = output_data<T>(r, 0);
  const size_t size = window.in_size(), planes = to_size(r.outputs[0].numel()) / size;
  const auto add = [&](size_t plane) {
    core::in_pieces(size, kernels::kPiece, [&](size_t begin, size_t count) { std::fill_n(to + plane * size + begin, count, T{}); });
    kernels::add_columns(window, from + plane * columns, to + plane * size);
  };
  if constexpr (std::is_same_v<T, std::string>) {
    for (size_t plane = 0; plane < planes; ++plane) add(plane);  // may run out of memory, which the pool's threads must not
  } else {
    r.pool.for_each(planes, add);
  }
}

std::unique_ptr<Bound> bind_col2im(const WindowSpec& spec, const BindContext& b) {
  const ValueFacts& x = required(b, 0, "input");
  require_rank(x, 3, "input");
  const Shape image = integer_values(required(b, 1, "image_shape"), "image_shape");
  const Shape block = integer_values(required(b, 2, "block_shape"), "block_shape");
  for (const int64_t size : image) {
    if (size < 1) throw argument_error("image_shape {} must hold positive sizes", to_string(image));
  }
  WindowSpec plain = spec;
  plain.kernel.clear();
  const PlacedWindow placed = place_window(plain, block, image);
  const int64_t taps = element_count(block), blocks = element_count(placed.out);
  if (x.shape[1] % taps != 0 || x.shape[2] != blocks) {
    throw argument_error("input has shape {}; blocks of {} in an image of {} make [batch, channels * {}, {}]", to_string(x.shape),
                         to_string(block), to_string(image), taps, blocks);
  }
  Shape out = {x.shape[0], x.shape[1] / taps};
  out.insert(out.end(), image.begin(), image.end());
  ValueFacts y = output(x.dtype, out);
  with_sum_type(x.dtype, []<class T>() {});  // refuses other types
  return make_bound(std::move(y), [w = placed.window.with_three_dims(), dtype = x.dtype, columns = to_size(taps * blocks)](
                                      const RunContext& r) { with_sum_type(dtype, [&]<class T>() { add_planes<T>(w, columns, r); }); });
}

std::unique_ptr<Prepared> prepare_wide_col2im(const PrepareContext& context) {
  return make_prepared([spec = window_spec_from_node(context.node)](const BindContext& b) { return bind_col2im(spec, b); });
}

}  // namespace

std::unique_ptr<Prepared> prepare_col2im(const PrepareContext& context) {
  return make_value_driven(via_float(context, prepare_wide_col2im), {.value_inputs = 0b110, .output_types = {}});
}

}  // namespace sardonyx::ops
