// Writes messages of the model in the text syntax.
#pragma once

#include <bit>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "model/text/syntax.h"
#include "sardonyx/error.h"
#include "sardonyx/text.h"

namespace sardonyx::model::text {

class Printer {
 public:
  explicit Printer(const TextOptions& options) : options_(options) {}
  std::string take() { return std::move(out_); }

  void write(const Model& model);
  void write(const Graph& graph);
  void write(const Function& function);
  void write(const Node& node);
  void write(const Attribute& attribute);
  void write(const ValueInfo& value);
  void write(const TensorData& tensor) { tensor_text(tensor, false, false); }
  void write(const Type& type) { type_text(type, false); }
  void write(const StringPair& pair);
  void write(const OpsetId& opset);

  void write(float value) { number(value); }
  void write(double value) { number(value); }
  template <std::integral T>
  void write(T value) {
    number(value);
  }
  template <class E>
  requires std::is_enum_v<E>
  void write(E value) { number(static_cast<int64_t>(value)); }
  void write(const std::string& text) { quoted(text); }
  void write(const Bytes& bytes) { quoted(bytes.text()); }
  template <class T>
  void write(const std::shared_ptr<T>& message) {
    write(*message);
  }
  template <class T>
  void write(const std::vector<T>& list) {
    out_ += '[';
    separated(list, ", ", [&](const T& entry) { write(entry); });
    out_ += ']';
  }
  // A message without a syntax of its own.
  template <IsMessage M>
  void write(const M& message) {
    const Level level(*this);
    out_ += '{';
    named_fields(message, 0, 0, ", ");
    out_ += '}';
  }

  // "name: value" for each field of `message` that is not in `skipped` and is in `always` or not absent. Returns how many there were.
  template <class M>
  int named_fields(const M& message, uint64_t skipped, uint64_t always, std::string_view separator);

 private:
  // One level of nesting.
  class Level {
   public:
    explicit Level(Printer& printer);
    ~Level() { --printer_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Printer& printer_;
  };

  void name(std::string_view text);
  // A name that could be taken for a type or a float where it stands is quoted too.
  void ambiguous_name(std::string_view text);
  void qualified_name(std::string_view text);
  void quoted(std::string_view text);
  void escaped(std::string_view text);
  template <class T>
  void number(T value);
  void indent() { out_.append(static_cast<size_t>(indent_), ' '); }

  // " %{...}" with what neither kPlaced nor `written` names; `forced`: also where that is nothing.
  template <class M>
  void extras(const M& message, uint64_t written, bool forced = false);

  template <class List, class Each>
  void separated(const List& list, std::string_view separator, Each&& each) {
    std::string_view between;
    for (const auto& entry : list) {
      out_ += between;
      each(entry);
      between = separator;
    }
  }
  void names(const std::vector<std::string>& list) {
    separated(list, ", ", [&](const std::string& entry) { name(entry); });
  }
  void values(char open, const std::vector<ValueInfo>& list, char close) {
    out_ += open;
    separated(list, ", ", [&](const ValueInfo& entry) { write(entry); });
    out_ += close;
  }

  void dimension(const Dimension& dim);
  void element_type(int32_t number);
  void tensor_type(const TensorType& type);
  void inner_type(std::string_view open, const std::shared_ptr<const Type>& type);
  void opaque_type(const OpaqueType& type);
  // `extras_follow`: those of what holds the type, so that the type must write its own, even if it has none.
  void type_text(const Type& type, bool extras_follow);

  void initializers(const Graph& graph);
  void nodes(const std::vector<Node>& list);
  void attributes(const std::vector<Attribute>& list);
  // Writes " = value" and returns the field that it wrote.
  uint64_t attribute_value(const Attribute& attribute, bool extras_follow);

  void tensor_text(const TensorData& tensor, bool is_initializer, bool extras_follow);
  // Writes "{...}" and returns the field that it wrote.
  uint64_t elements(const TensorData& tensor);
  template <class T>
  void typed_entries(const std::vector<T>& list) {
    entries(list.size(), [&](size_t i) { write(list[i]); });
  }
  void raw_entries(DType dtype, std::string_view bytes);
  template <class T, class Shown = T>
  void raw_entries_of(std::string_view bytes);
  template <class Each>
  void entries(size_t count, Each&& each);

  const TextOptions& options_;
  std::string out_;
  int indent_ = 0;
  int depth_ = 0;
};

template <class T>
void Printer::number(T value) {
  char buffer[40];
  if constexpr (std::is_floating_point_v<T>) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    constexpr Bits kSign = Bits{1} << (sizeof(T) * 8 - 1);
    constexpr Bits kNan = std::bit_cast<Bits>(std::numeric_limits<T>::quiet_NaN());
    const auto value_bits = std::bit_cast<Bits>(value);
    if (value == 0 && value_bits != 0) {
      out_ += "-0.0";  // "-0" would be an integer
      return;
    }
    if (value != value) {
      out_ += (value_bits & kSign) != 0 ? "-nan" : "nan";
      if ((value_bits & ~kSign) == kNan) return;
      const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value_bits, 16).ptr;
      out_.append("(0x").append(buffer, end).append(")");
      return;
    }
  }
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  out_.append(buffer, end);
}

// Visits the fields of a message and writes those that are asked for.
class FieldPrinter {
 public:
  // Without a printer, the fields are counted only.
  FieldPrinter(Printer* printer, std::string& out, uint64_t skipped, uint64_t always, std::string_view separator)
      : printer_(printer), out_(out), skipped_(skipped), always_(always), separator_(separator) {}
  int count() const { return count_; }

  template <class T>
  void field(int number, const char* name, const T& member) {
    put(number, name, is_absent(member), member);
  }
  template <class T>
  void field(int number, const char* name, bool has, const T& member) {
    put(number, name, !has, member);
  }
  template <class T>
  void packed(int number, const char* name, const T& member) {
    put(number, name, is_absent(member), member);
  }
  template <class T, class Variant>
  void one_of(int number, const char* name, const Variant& member) {
    if constexpr (!IsMessage<T>) {  // those of messages have their own syntax
      if (const T* value = std::get_if<T>(&member)) put(number, name, false, *value);
    }
  }

 private:
  template <class T>
  static bool is_absent(const T& member) {
    if constexpr (std::same_as<T, float>) {
      return std::bit_cast<uint32_t>(member) == 0;
    } else if constexpr (requires { member.empty(); }) {
      return member.empty();
    } else if constexpr (requires { member == nullptr; }) {
      return member == nullptr;
    } else {
      return member == T{};
    }
  }
  template <class T>
  void put(int number, const char* name, bool absent, const T& member) {
    if ((skipped_ & bit(number)) != 0 || (absent && (always_ & bit(number)) == 0)) return;
    const bool is_first = count_++ == 0;
    if (printer_ == nullptr) return;
    if (!is_first) out_ += separator_;
    out_.append(name).append(": ");
    printer_->write(member);
  }

  Printer* printer_;
  std::string& out_;
  uint64_t skipped_, always_;
  std::string_view separator_;
  int count_ = 0;
};

template <class M>
int Printer::named_fields(const M& message, uint64_t skipped, uint64_t always, std::string_view separator) {
  FieldPrinter printer(this, out_, skipped, always, separator);
  fields(printer, message);
  return printer.count();
}

template <class M>
void Printer::extras(const M& message, uint64_t written, bool forced) {
  const size_t before = out_.size();
  out_ += " %{";
  const bool wrote = named_fields(message, written | kPlaced<M>, 0, ", ") > 0;
  if (wrote || forced) {
    out_ += '}';
  } else {
    out_.resize(before);
  }
}

}  // namespace sardonyx::model::text
