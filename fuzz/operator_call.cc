#include "operator_call.h"

#include <algorithm>
#include <array>
#include <limits>

#include "ops/facts.h"

namespace sardonyx::fuzz {
namespace {

constexpr std::array<const char*, 44> kWords = {"NOTSET",
                                                "SAME_UPPER",
                                                "SAME_LOWER",
                                                "VALID",
                                                "CRD",
                                                "DCR",
                                                "constant",
                                                "reflect",
                                                "edge",
                                                "wrap",
                                                "nearest",
                                                "linear",
                                                "bilinear",
                                                "cubic",
                                                "bicubic",
                                                "none",
                                                "add",
                                                "mul",
                                                "max",
                                                "min",
                                                "mean",
                                                "sum",
                                                "forward",
                                                "reverse",
                                                "bidirectional",
                                                "LEFT",
                                                "RIGHT",
                                                "half_pixel",
                                                "align_corners",
                                                "asymmetric",
                                                "tf_crop_and_resize",
                                                "pytorch_half_pixel",
                                                "floor",
                                                "ceil",
                                                "stretch",
                                                "not_larger",
                                                "tanh",
                                                "Tanh",
                                                "Sigmoid",
                                                "TFIDF",
                                                "LOWER",
                                                "i,j->ij",
                                                "...ij,...jk",
                                                ""};

constexpr std::array<int64_t, 8> kExtremes = {std::numeric_limits<int64_t>::min(),
                                              std::numeric_limits<int64_t>::max(),
                                              int64_t{1} << 31,
                                              -(int64_t{1} << 31),
                                              int64_t{1} << 40,
                                              -(int64_t{1} << 40),
                                              int64_t{1} << 62,
                                              255};

constexpr std::array<float, 10> kOddReals = {std::numeric_limits<float>::quiet_NaN(),
                                             std::numeric_limits<float>::infinity(),
                                             -std::numeric_limits<float>::infinity(),
                                             3e38f,
                                             -3e38f,
                                             1e-40f,
                                             -0.0f,
                                             9.3e18f,
                                             1e10f,
                                             -1e10f};

constexpr double kMostElements = 1 << 17;

// Deterministic numbers that fill a tensor, so that few bytes give many elements.
class Noise {
 public:
  explicit Noise(size_t seed) : state_(0x9E3779B97F4A7C15u * (seed + 1)) {}
  uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_;
};

int64_t element_of(Noise& noise, size_t kind) {
  const uint64_t n = noise.next();
  switch (kind) {
    case 0:
      return static_cast<int64_t>(n % 4);
    case 1:
      return static_cast<int64_t>(n % 9) - 4;
    case 2:
      return n % 8 == 0 ? kExtremes[n / 8 % kExtremes.size()] : static_cast<int64_t>(n % 7) - 2;
    default:
      return static_cast<int64_t>(n % 200) - 100;
  }
}

float real_of(Noise& noise, size_t kind) {
  const uint64_t n = noise.next();
  if (kind == 2 && n % 8 == 0) return kOddReals[n / 8 % kOddReals.size()];
  return static_cast<float>(static_cast<int64_t>(n % 161) - (kind == 0 ? 0 : 80)) / 8;
}

void fill_bits(Tensor& tensor, Noise noise) {
  if (tensor.dtype() == DType::kString) {
    for (std::string& text : tensor.mutable_values<std::string>()) text = kWords[noise.next() % kWords.size()];
    return;
  }
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
  for (size_t i = 0; i < tensor.byte_size(); ++i) bytes[i] = static_cast<uint8_t>(noise.next());
}

}  // namespace

int64_t CallMaker::integer() { return bytes_.one_in(10) ? bytes_.pick(kExtremes) : bytes_.between(-3, 8); }
float CallMaker::real() { return bytes_.one_in(8) ? bytes_.pick(kOddReals) : static_cast<float>(bytes_.between(-16, 24)) / 8; }

Shape CallMaker::free_shape() {
  Shape shape(bytes_.below(6));
  for (int64_t& size : shape) size = bytes_.one_in(12) ? 0 : bytes_.between(1, 4);
  return shape;
}

// The shape with one thing changed.
Shape CallMaker::like(Shape shape) {
  if (shape.empty() || bytes_.one_in(4)) {
    shape.push_back(bytes_.between(0, 3));
  } else if (bytes_.one_in(4)) {
    shape.erase(shape.begin() + bytes_.between(0, ops::to_int(shape.size()) - 1));
  } else {
    shape[bytes_.below(shape.size())] = bytes_.between(0, 6);
  }
  double elements = 1;
  for (const int64_t size : shape) elements *= static_cast<double>(size);
  return elements < kMostElements ? shape : Shape{2};
}

Shape CallMaker::shape_of(size_t input) {
  const Tensor* earlier = input > 0 ? &call_.inputs[bytes_.below(input)] : nullptr;
  if (earlier && !earlier->defined()) earlier = nullptr;
  switch (bytes_.below(8)) {
    case 0:
      return earlier ? earlier->shape() : Shape{2, 3, 4};
    case 1:
      return earlier ? like(earlier->shape()) : Shape{1, 2, 5, 6};
    case 2:
      return {earlier ? earlier->dim() : 3};
    case 3:
      return {earlier && earlier->dim() > 0 ? std::min<int64_t>(earlier->size(bytes_.between(0, earlier->dim() - 1)), 1000) : 2};
    case 4:
      return {};
    case 5:
      return bytes_.one_in(2) ? Shape{bytes_.between(0, 70)} : Shape{bytes_.between(1, 40), bytes_.between(1, 40)};
    case 6:
      if (bytes_.one_in(8)) return {0, int64_t{1} << 40, int64_t{1} << 20};  // holds nothing
      return {bytes_.between(1, 3), bytes_.between(1, 6), bytes_.between(1, 9), bytes_.between(1, 9)};
    default:
      return free_shape();
  }
}

DType CallMaker::type_of(size_t input) {
  const auto any = [&] { return static_cast<DType>(bytes_.between(1, kDTypeCount - 1)); };
  if (!schema_ || schema_->input_count() == 0 || bytes_.one_in(16)) return any();
  const schema::Parameter parameter = schema_->input(std::min(input, schema_->input_count() - 1));
  const auto known = std::ranges::find(bound_, parameter.type, &std::pair<std::string_view, DType>::first);
  if (known != bound_.end()) return known->second;
  const int first = static_cast<int>(bytes_.below(kDTypeCount));
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto type = static_cast<DType>((first + i) % kDTypeCount);
    if (!is_valid(type) || !schema_->allows(parameter.type, type_string(type))) continue;
    bound_.emplace_back(parameter.type, type);
    return type;
  }
  return any();
}

Tensor CallMaker::tensor(Shape shape, DType dtype) {
  const size_t kind = bytes_.below(4);
  const Noise noise(bytes_.below(256));
  const bool by_value = dtype != DType::kString && bit_width(dtype) >= 8 && dtype != DType::kComplex64 && dtype != DType::kComplex128 &&
                        !(is_floating_point(dtype) && bit_width(dtype) == 8);
  if (!by_value) {
    Tensor result(std::move(shape), dtype);
    fill_bits(result, noise);
    return result;
  }
  Noise elements = noise;
  if (is_integral(dtype)) {
    Tensor wide(std::move(shape), DType::kInt64);
    for (int64_t& value : wide.mutable_values<int64_t>()) value = element_of(elements, kind);
    return wide.to(dtype);
  }
  Tensor wide(std::move(shape), DType::kFloat32);
  for (float& value : wide.mutable_values<float>()) value = dtype == DType::kBool ? elements.next() % 2 : real_of(elements, kind);
  return wide.to(dtype);
}

void CallMaker::add_inputs() {
  const ops::Operator& row = *ops::find_operator(call_.node.domain, call_.node.op_type);
  const int most = std::min(row.max_inputs, row.min_inputs + 5);
  const auto count =
      static_cast<size_t>(bytes_.one_in(2) ? bytes_.between(row.min_inputs, most) : std::min(most, std::max(row.min_inputs, 2)));
  for (size_t i = 0; i < count; ++i) {
    const bool absent = bytes_.one_in(static_cast<int>(i) >= row.min_inputs ? 3 : 40);
    call_.inputs.push_back(absent ? Tensor() : tensor(shape_of(i), type_of(i)));
    call_.node.input.push_back(absent ? "" : "x" + std::to_string(i));
    call_.constant.push_back(!absent && bytes_.one_in(2));
  }
}

void CallMaker::add_outputs(const ops::Operator& row) {
  const int64_t count = bytes_.between(1, std::min(row.max_outputs, 4));
  for (int64_t i = 0; i < count; ++i) call_.node.output.push_back(bytes_.one_in(12) ? "" : "y" + std::to_string(i));
}

model::Attribute CallMaker::attribute(const schema::AttributeSchema& wanted) {
  using Type = model::Attribute::Type;
  const std::string name(wanted.name);
  const size_t rank = !call_.inputs.empty() && call_.inputs[0].defined() ? call_.inputs[0].shape().size() : 2;
  const std::array<size_t, 5> lengths = {rank, rank > 2 ? rank - 2 : 1, rank > 2 ? 2 * (rank - 2) : 2, 2 * rank, bytes_.below(7)};
  const auto list = [&](auto draw) {
    std::vector<decltype(draw())> values(bytes_.pick(lengths));
    for (auto& value : values) value = draw();
    return values;
  };
  switch (bytes_.one_in(40) ? static_cast<Type>(bytes_.between(1, 8)) : wanted.type) {
    case Type::kFloat:
      return model::Attribute::of(name, real());
    case Type::kString:
      return model::Attribute::of(name, bytes_.pick(kWords));
    case Type::kTensor:
      return model::Attribute::of(name, model::encode(tensor({bytes_.between(0, 3)}, type_of(0))));
    case Type::kFloats:
      return model::Attribute::of(name, list([&] { return real(); }));
    case Type::kInts:
      if (bytes_.one_in(2)) return model::Attribute::of(name, list([&] { return bytes_.between(0, 3); }));
      return model::Attribute::of(name, list([&] { return integer(); }));
    case Type::kStrings:
      return model::Attribute::of(name, list([&] { return std::string(bytes_.pick(kWords)); }));
    default:
      return model::Attribute::of(name, integer());
  }
}

void CallMaker::add_attributes() {
  if (!schema_) {
    using Type = model::Attribute::Type;
    constexpr std::array<std::pair<const char*, Type>, 6> kUsual = {std::pair{"axis", Type::kInt}, {"kernel_shape", Type::kInts},
                                                                    {"pads", Type::kInts},         {"group", Type::kInt},
                                                                    {"activation", Type::kString}, {"output_size", Type::kInts}};
    for (const auto& [name, type] : kUsual) {
      if (bytes_.one_in(2)) call_.node.attribute.push_back(attribute({name, type, false, ""}));
    }
    return;
  }
  for (size_t i = 0; i < schema_->attribute_count(); ++i) {
    const schema::AttributeSchema wanted = schema_->attribute(i);
    if (wanted.required ? !bytes_.one_in(30) : bytes_.one_in(3)) call_.node.attribute.push_back(attribute(wanted));
  }
}

OperatorCall CallMaker::make() {
  const ops::Operator& row = bytes_.pick(ops::all_operators());
  call_.node.op_type = std::string(row.op_type);
  call_.node.domain = std::string(row.domain);
  const int64_t latest = std::max<int64_t>(schema::latest_version(row.domain), 1);
  call_.opset = latest - static_cast<int64_t>(bytes_.below(static_cast<size_t>(latest - std::min<int64_t>(row.since, latest) + 1)));
  schema_ = schema::find(row.domain, row.op_type, call_.opset);
  add_inputs();
  add_outputs(row);
  add_attributes();
  return std::move(call_);
}

}  // namespace sardonyx::fuzz
