#include "checkpoint/pickle.h"

#include <array>
#include <bit>
#include <limits>

#include "checkpoint/byte_reader.h"
#include "checkpoint/objects.h"
#include "checkpoint/pickle_text.h"
#include "checkpoint/text.h"

namespace sardonyx::checkpoint {

namespace {

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kInvalidModel, "the pickle is broken: " + message); }

class Machine {
 public:
  Machine(PickleState& state, std::span<const std::byte> bytes)
      : state_(state), store_(state.store), objects_(state), reader_(bytes, "pickle"), none_(store_.add(NodeKind::kNone)) {}

  NodeId run();
  size_t position() const noexcept { return reader_.position(); }

 private:
  using Handler = void (Machine::*)();
  struct Operation {
    uint8_t code;
    Handler handler;
  };
  using Table = std::array<Handler, 256>;
  static const Operation kOperations[];
  static Table make_table();

  // The stack. Values below the topmost mark are out of reach.
  void push(NodeId node) { stack_.push_back(node); }
  size_t floor() const noexcept { return marks_.empty() ? 0 : marks_.back(); }
  NodeId pop() {
    if (stack_.size() <= floor()) invalid("an instruction finds too few values on the stack");
    const NodeId node = stack_.back();
    stack_.pop_back();
    return node;
  }
  NodeId top() {
    const NodeId node = pop();
    push(node);
    return node;
  }
  std::vector<NodeId> pop_to_mark() {
    if (marks_.empty()) invalid("an instruction finds no mark on the stack");
    std::vector<NodeId> values(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return values;
  }

  // Literals.
  std::string_view line();
  std::string_view counted(uint64_t count) { return as_text(reader_.take(count)); }
  void push_int(int64_t value) { push(store_.add(NodeKind::kInt, value)); }
  void push_bool(bool value) { push(store_.add(NodeKind::kBool, value ? 1 : 0)); }
  void push_unicode(std::string_view text);
  void push_python2_string(std::string text);
  void push_long(uint64_t count);
  void op_int_line();
  void op_long_line();
  void op_float_line();
  void op_binfloat();
  void op_string_line() { push_python2_string(decode_string_literal(line())); }
  void op_unicode_line() { push(store_.add_owned_text(NodeKind::kString, decode_raw_unicode(line()))); }
  template <class Length>
  void op_string() {
    const std::string_view text = counted(reader_.read<Length>());
    push(store_.add_text(is_utf8(text) ? NodeKind::kString : NodeKind::kBytes, text));
  }
  template <class Length>
  void op_unicode() {
    push_unicode(counted(reader_.read<Length>()));
  }
  template <class Length>
  void op_bytes() {
    push(store_.add_text(NodeKind::kBytes, counted(reader_.read<Length>())));
  }
  template <class T>
  void op_int() {
    push_int(reader_.read<T>());
  }
  template <class Length>
  void op_long() {
    push_long(reader_.read<Length>());
  }
  void op_none() { push(none_); }
  template <bool kValue>
  void op_bool() {
    push_bool(kValue);
  }

  // Containers.
  template <NodeKind kKind>
  void op_empty() {
    push(store_.add_items(kKind));
  }
  template <NodeKind kKind>
  void op_from_mark() {
    push(store_.add_items(kKind, pop_to_mark()));
  }
  template <size_t kCount>
  void op_tuple() {
    std::vector<NodeId> values(kCount);
    for (size_t i = kCount; i-- > 0;) values[i] = pop();
    push(store_.add_items(NodeKind::kTuple, std::move(values)));
  }
  void op_dict_from_mark();
  void append_to(NodeId target, NodeKind kind, const std::vector<NodeId>& values);
  void op_append();
  void op_setitem();
  void op_setitems();
  template <NodeKind kKind>
  void op_extend() {
    const std::vector<NodeId> values = pop_to_mark();
    append_to(top(), kKind, values);
  }

  // Stack and memo.
  void op_mark() { marks_.push_back(stack_.size()); }
  void op_pop();
  void op_pop_mark() { pop_to_mark(); }
  void op_dup() { push(top()); }
  void remember(uint64_t index);
  void recall(uint64_t index);
  template <class Index>
  void op_put() {
    remember(reader_.read<Index>());
  }
  template <class Index>
  void op_get() {
    recall(reader_.read<Index>());
  }
  void op_put_line() { remember(parse_index(line())); }
  void op_get_line() { recall(parse_index(line())); }
  void op_memoize() { remember(memo_.size()); }

  // Objects.
  void op_global();
  void op_stack_global();
  void op_reduce();
  void op_newobj_ex();
  void op_inst();
  void op_obj();
  void op_build();
  void op_persistent() { push(objects_.storage(pop())); }

  // Structure.
  void op_proto();
  void op_frame() { reader_.read<uint64_t>(); }
  void op_stop() { is_done_ = true; }
  void op_refused();

  PickleState& state_;
  ValueStore& store_;
  ObjectBuilder objects_;
  ByteReader reader_;
  NodeId none_;
  std::vector<NodeId> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, NodeId> memo_;
  uint8_t code_ = 0;
  bool is_done_ = false;
};

const Machine::Operation Machine::kOperations[] = {
    {'(', &Machine::op_mark},
    {'.', &Machine::op_stop},
    {'0', &Machine::op_pop},
    {'1', &Machine::op_pop_mark},
    {'2', &Machine::op_dup},
    {'F', &Machine::op_float_line},
    {'I', &Machine::op_int_line},
    {'J', &Machine::op_int<int32_t>},
    {'K', &Machine::op_int<uint8_t>},
    {'L', &Machine::op_long_line},
    {'M', &Machine::op_int<uint16_t>},
    {'N', &Machine::op_none},
    {'Q', &Machine::op_persistent},
    {'R', &Machine::op_reduce},
    {'S', &Machine::op_string_line},
    {'T', &Machine::op_string<uint32_t>},
    {'U', &Machine::op_string<uint8_t>},
    {'V', &Machine::op_unicode_line},
    {'X', &Machine::op_unicode<uint32_t>},
    {'a', &Machine::op_append},
    {'b', &Machine::op_build},
    {'c', &Machine::op_global},
    {'d', &Machine::op_dict_from_mark},
    {'}', &Machine::op_empty<NodeKind::kDict>},
    {'e', &Machine::op_extend<NodeKind::kList>},
    {'g', &Machine::op_get_line},
    {'h', &Machine::op_get<uint8_t>},
    {'i', &Machine::op_inst},
    {'j', &Machine::op_get<uint32_t>},
    {'l', &Machine::op_from_mark<NodeKind::kList>},
    {']', &Machine::op_empty<NodeKind::kList>},
    {'o', &Machine::op_obj},
    {'p', &Machine::op_put_line},
    {'q', &Machine::op_put<uint8_t>},
    {'r', &Machine::op_put<uint32_t>},
    {'s', &Machine::op_setitem},
    {'t', &Machine::op_from_mark<NodeKind::kTuple>},
    {')', &Machine::op_empty<NodeKind::kTuple>},
    {'u', &Machine::op_setitems},
    {'G', &Machine::op_binfloat},
    {'B', &Machine::op_bytes<uint32_t>},
    {'C', &Machine::op_bytes<uint8_t>},
    {0x80, &Machine::op_proto},
    {0x81, &Machine::op_reduce},  // NEWOBJ: class and arguments
    {0x85, &Machine::op_tuple<1>},
    {0x86, &Machine::op_tuple<2>},
    {0x87, &Machine::op_tuple<3>},
    {0x88, &Machine::op_bool<true>},
    {0x89, &Machine::op_bool<false>},
    {0x8A, &Machine::op_long<uint8_t>},
    {0x8B, &Machine::op_long<uint32_t>},
    {0x8C, &Machine::op_unicode<uint8_t>},
    {0x8D, &Machine::op_unicode<uint64_t>},
    {0x8E, &Machine::op_bytes<uint64_t>},
    {0x8F, &Machine::op_empty<NodeKind::kSet>},
    {0x90, &Machine::op_extend<NodeKind::kSet>},
    {0x91, &Machine::op_from_mark<NodeKind::kSet>},
    {0x92, &Machine::op_newobj_ex},
    {0x93, &Machine::op_stack_global},
    {0x94, &Machine::op_memoize},
    {0x95, &Machine::op_frame},
    {0x96, &Machine::op_bytes<uint64_t>},
};

Machine::Table Machine::make_table() {
  Table table;
  table.fill(&Machine::op_refused);
  for (const Operation& operation : kOperations) table[operation.code] = operation.handler;
  return table;
}

NodeId Machine::run() {
  static const Table kTable = make_table();
  while (!is_done_) {
    state_.charge(1);
    if (store_.nodes.size() >= std::numeric_limits<NodeId>::max() - 4) {
      throw Error(ErrorCode::kResourceLimit, "the pickle makes more than four billion values");
    }
    code_ = reader_.read<uint8_t>();
    (this->*kTable[code_])();
  }
  const NodeId result = pop();
  if (!stack_.empty() || !marks_.empty()) invalid("values are left on the stack at its end");
  return result;
}

std::string_view Machine::line() {
  const size_t start = reader_.position();
  while (reader_.read<uint8_t>() != '\n') {
  }
  const size_t end = reader_.position();
  reader_.seek(start);
  const std::string_view text = counted(end - start - 1);
  reader_.seek(end);
  return text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
}

void Machine::push_unicode(std::string_view text) {
  if (!is_utf8(text)) invalid("the string " + quote(text) + " is not UTF-8");
  push(store_.add_text(NodeKind::kString, text));
}

void Machine::push_python2_string(std::string text) {
  const NodeKind kind = is_utf8(text) ? NodeKind::kString : NodeKind::kBytes;
  push(store_.add_owned_text(kind, std::move(text)));
}

void Machine::push_long(uint64_t count) {
  const std::span<const std::byte> bytes = reader_.take(count);
  if (const auto value = small_long(bytes)) return push_int(*value);
  push(store_.add_owned_text(NodeKind::kBigInt, long_digits(bytes)));
}

// Protocol 0 writes booleans as 00 and 01.
void Machine::op_int_line() {
  const std::string_view text = line();
  if (text == "00" || text == "01") return push_bool(text == "01");
  push_int(parse_int(text));
}

void Machine::op_long_line() {
  std::string_view text = line();
  if (text.ends_with('L')) text.remove_suffix(1);
  if (fits_int64(text)) return push_int(parse_int(text));
  push(store_.add_text(NodeKind::kBigInt, checked_digits(text)));
}

void Machine::op_float_line() { push(store_.add_float(parse_float(line()))); }

void Machine::op_binfloat() {
  uint64_t bits = 0;
  for (const std::byte byte : reader_.take(8)) bits = bits << 8 | std::to_integer<uint64_t>(byte);
  push(store_.add_float(std::bit_cast<double>(bits)));
}

void Machine::op_dict_from_mark() {
  std::vector<NodeId> values = pop_to_mark();
  if (values.size() % 2 != 0) invalid("a dict has a key without value");
  push(store_.add_items(NodeKind::kDict, std::move(values)));
}

void Machine::append_to(NodeId target, NodeKind kind, const std::vector<NodeId>& values) {
  if (store_.kind(target) == NodeKind::kOpaque) return;
  if (store_.kind(target) != kind) {
    invalid("elements of a " + std::string(kind_name(kind)) + " are given to a " + std::string(kind_name(store_.kind(target))));
  }
  std::vector<NodeId>& children = store_.children(target);
  children.insert(children.end(), values.begin(), values.end());
}

void Machine::op_append() {
  const NodeId value = pop();
  append_to(top(), NodeKind::kList, {value});
}

void Machine::op_setitem() {
  const NodeId value = pop();
  const NodeId key = pop();
  append_to(top(), NodeKind::kDict, {key, value});
}

void Machine::op_setitems() {
  const std::vector<NodeId> values = pop_to_mark();
  if (values.size() % 2 != 0) invalid("a dict is given a key without value");
  append_to(top(), NodeKind::kDict, values);
}

void Machine::op_pop() {
  if (!marks_.empty() && stack_.size() == marks_.back()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

void Machine::remember(uint64_t index) {
  const NodeId node = top();
  memo_[index] = node;
  if (memo_.size() > state_.options.limits.max_memo) {
    throw Error(ErrorCode::kResourceLimit, "the pickle's memo has more than " + std::to_string(state_.options.limits.max_memo) +
                                               " entries (CheckpointLimits::max_memo)");
  }
}

void Machine::recall(uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) invalid("memo entry " + std::to_string(index) + " is read before it is written");
  push(found->second);
}

void Machine::op_global() {
  const std::string_view module = line();
  push(objects_.global(module, line()));
}

void Machine::op_stack_global() {
  const NodeId name = pop();
  const NodeId module = pop();
  if (store_.kind(name) != NodeKind::kString || store_.kind(module) != NodeKind::kString) invalid("a global has a name that is no string");
  push(objects_.global(store_.text(module), store_.text(name)));
}

void Machine::op_reduce() {
  const NodeId arguments = pop();
  push(objects_.reduce(pop(), arguments));
}

// Class, arguments, keyword arguments.
void Machine::op_newobj_ex() {
  const NodeId keywords = pop();
  const NodeId arguments = pop();
  const NodeId type = pop();
  const bool has_keywords = store_.kind(keywords) != NodeKind::kDict || !store_.children(keywords).empty();
  if (has_keywords && store_.kind(type) != NodeKind::kOpaque) invalid("a data object is made with keyword arguments");
  push(objects_.reduce(type, arguments));
}

// Names a class on two lines; its arguments lie above the mark.
void Machine::op_inst() {
  const std::string_view module = line();
  const NodeId type = objects_.global(module, line());
  push(objects_.reduce(type, store_.add_items(NodeKind::kTuple, pop_to_mark())));
}

// The class and its arguments lie above the mark.
void Machine::op_obj() {
  std::vector<NodeId> values = pop_to_mark();
  if (values.empty()) invalid("an object has no class");
  const NodeId type = values.front();
  values.erase(values.begin());
  push(objects_.reduce(type, store_.add_items(NodeKind::kTuple, std::move(values))));
}

void Machine::op_build() {
  const NodeId object_state = pop();
  objects_.build(top(), object_state);
}

void Machine::op_proto() {
  const uint8_t protocol = reader_.read<uint8_t>();
  if (protocol > 5)
    throw Error(ErrorCode::kUnsupported, "the pickle has protocol " + std::to_string(protocol) + ", and 5 is the last known");
}

void Machine::op_refused() {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::string code = {kHex[code_ >> 4], kHex[code_ & 15]};
  throw Error(ErrorCode::kUnsupported, "the pickle has instruction 0x" + code + " at byte " + std::to_string(reader_.position() - 1) +
                                           ", which no data of a checkpoint needs");
}

}  // namespace

void PickleState::charge(uint64_t amount) {
  operations += amount;
  if (operations > options.limits.max_pickle_ops) {
    throw Error(ErrorCode::kResourceLimit, "the pickle takes more than " + std::to_string(options.limits.max_pickle_ops) +
                                               " steps (CheckpointLimits::max_pickle_ops)");
  }
}

NodeId run_pickle(PickleState& state, std::span<const std::byte> bytes, size_t& consumed) {
  Machine machine(state, bytes);
  const NodeId result = machine.run();
  consumed = machine.position();
  return result;
}

}  // namespace sardonyx::checkpoint
