// Writing what torch.save writes: a zip with a pickle of protocol 2 and one entry per storage.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "checkpoint/byte_writer.h"
#include "checkpoint/element_types.h"
#include "checkpoint/tensor_view.h"
#include "checkpoint/text.h"
#include "checkpoint/zip_writer.h"
#include "core/mapped_file.h"
#include "sardonyx/checkpoint.h"

namespace sardonyx {

namespace checkpoint {

namespace {

// A run of memory that becomes one storage of the file.
struct Block {
  DType dtype;
  const std::byte* begin;
  const std::byte* end;
};

// Where each tensor of the state dict lies: its storage, and its first element there.
struct Place {
  size_t block;
  int64_t offset;
};

struct Layout {
  std::vector<Block> blocks;
  std::vector<Place> places;  // in the order of the state dict
};

Block block_of(const Tensor& tensor) {
  const auto* begin = static_cast<const std::byte*>(tensor.raw());
  return {tensor.dtype(), begin, begin + tensor.byte_size()};
}

// Can `next`, which starts no earlier, be a part of `block`?
bool belongs(const Block& block, const Block& next) {
  const auto distance = reinterpret_cast<uintptr_t>(next.begin) - reinterpret_cast<uintptr_t>(block.begin);
  return next.dtype == block.dtype && next.begin != next.end && std::less<>()(next.begin, block.end) &&
         distance % item_size(block.dtype) == 0;
}

Layout lay_out(const StateDict& state) {
  std::vector<Block> parts;
  for (const auto& [name, tensor] : state) parts.push_back(block_of(tensor));
  std::vector<size_t> order(parts.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    if (parts[a].dtype != parts[b].dtype) return parts[a].dtype < parts[b].dtype;
    return std::less<>()(parts[a].begin, parts[b].begin);
  });
  Layout layout;
  layout.places.resize(parts.size());
  for (const size_t i : order) {
    if (layout.blocks.empty() || !belongs(layout.blocks.back(), parts[i])) layout.blocks.push_back(parts[i]);
    Block& block = layout.blocks.back();
    block.end = std::max(block.end, parts[i].end, std::less<>());
    const auto distance = static_cast<size_t>(parts[i].begin - block.begin);
    layout.places[i] = {layout.blocks.size() - 1, static_cast<int64_t>(distance / item_size(block.dtype))};
  }
  return layout;
}

// Opcodes of protocol 2, as far as a state dict needs them.
class PickleWriter {
 public:
  PickleWriter() { out_ = "\x80\x02"; }
  std::string finish() { return std::move(out_) + "."; }

  void mark() { out_ += '('; }
  void tuple() { out_ += 't'; }
  void reduce() { out_ += 'R'; }
  void set_items() { out_ += 'u'; }
  void persistent() { out_ += 'Q'; }
  void no() { out_ += '\x89'; }
  void global(std::string_view module, std::string_view name) { ((((out_ += 'c') += module) += '\n') += name) += '\n'; }
  void empty_ordered_dict() {
    global("collections", "OrderedDict");
    out_ += ")R";
  }
  void text(std::string_view value) {
    out_ += 'X';
    append_little<uint32_t>(out_, static_cast<uint32_t>(value.size()));
    out_ += value;
  }
  void integer(int64_t value) {
    if (value >= 0 && value <= std::numeric_limits<int32_t>::max()) {
      out_ += 'J';
      append_little<int32_t>(out_, static_cast<int32_t>(value));
    } else {
      out_ += "\x8A\x08";
      append_little<int64_t>(out_, value);
    }
  }
  void integers(const Shape& values) {
    mark();
    for (const int64_t value : values) integer(value);
    tuple();
  }

 private:
  std::string out_;
};

void write_tensor(PickleWriter& pickle, const Tensor& tensor, const Block& block, const Place& place) {
  const ElementType& type = *element_type(tensor.dtype());
  const bool typed = !type.storage.empty();
  const auto bytes = static_cast<int64_t>(block.end - block.begin);
  pickle.global("torch._utils", typed ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
  pickle.mark();
  pickle.mark();
  pickle.text("storage");
  pickle.global(typed ? "torch" : "torch.storage", typed ? type.storage : "UntypedStorage");
  pickle.text(std::to_string(place.block));
  pickle.text("cpu");
  pickle.integer(typed ? bytes / static_cast<int64_t>(item_size(tensor.dtype())) : bytes);
  pickle.tuple();
  pickle.persistent();
  pickle.integer(place.offset);
  pickle.integers(tensor.shape());
  pickle.integers(contiguous_strides(tensor.shape()));
  pickle.no();
  pickle.empty_ordered_dict();
  if (!typed) pickle.global("torch", type.torch);
  pickle.tuple();
  pickle.reduce();
}

std::string pickle_of(const StateDict& state, const Layout& layout) {
  PickleWriter pickle;
  pickle.empty_ordered_dict();
  pickle.mark();
  size_t index = 0;
  for (const auto& [name, tensor] : state) {
    const Place& place = layout.places[index++];
    pickle.text(name);
    write_tensor(pickle, tensor, layout.blocks[place.block], place);
  }
  pickle.set_items();
  return pickle.finish();
}

void check(const StateDict& state) {
  for (const auto& [name, tensor] : state) {
    if (!is_utf8(name)) throw Error(ErrorCode::kInvalidArgument, "the name " + quote(name) + " is not UTF-8");
    if (name.size() > std::numeric_limits<uint32_t>::max()) throw Error(ErrorCode::kInvalidArgument, "a name has more than 4 GiB");
    if (!tensor.defined()) throw Error(ErrorCode::kInvalidArgument, "tensor " + quote(name) + " is undefined");
    if (element_type(tensor.dtype()) == nullptr) {
      throw Error(ErrorCode::kUnsupported, "tensor " + quote(name) + " has type " + std::string(to_string(tensor.dtype())) +
                                               ", which torch checkpoints lack. Cure: convert it first");
    }
  }
}

}  // namespace

}  // namespace checkpoint

void save_checkpoint(const std::filesystem::path& path, const StateDict& state) {
  checkpoint::check(state);
  const checkpoint::Layout layout = checkpoint::lay_out(state);
  core::AtomicFile file(path);
  checkpoint::ZipWriter zip(file);
  zip.add("archive/data.pkl", checkpoint::pickle_of(state, layout));
  zip.add("archive/byteorder", "little");
  for (size_t i = 0; i < layout.blocks.size(); ++i) {
    const checkpoint::Block& block = layout.blocks[i];
    zip.add("archive/data/" + std::to_string(i), std::span(block.begin, block.end));
  }
  zip.add("archive/version", "3\n");
  zip.finish();
  file.commit();
}

}  // namespace sardonyx
