// Reads messages of the model from the text syntax.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "model/text/scanner.h"
#include "model/text/syntax.h"
#include "sardonyx/error.h"
#include "sardonyx/text.h"
#include "wire/reader.h"

namespace sardonyx::model::text {

class Parser {
 public:
  Parser(std::string_view text, const ParseTextOptions& options);

  // The whole text as one message.
  template <class M>
  M whole() {
    M message;
    try {
      read(message);
    } catch (Error& error) {
      if (error.code() == ErrorCode::kResourceLimit) error.prepend(in_.place(in_.position()));
      throw;
    }
    if (!in_.at_end()) in_.fail("the end of the text");
    return message;
  }

  void read(Model& model);
  void read(Graph& graph);
  void read(Function& function);
  void read(Node& node);
  void read(Attribute& attribute);
  void read(ValueInfo& value);
  void read(TensorData& tensor);
  void read(Type& type);
  void read(StringPair& pair);
  void read(OpsetId& opset);

  void read(int64_t& value) { value = in_.number<int64_t>("an integer"); }
  void read(int32_t& value) { value = in_.number<int32_t>("an integer of 32 bits"); }
  void read(uint64_t& value) { value = in_.number<uint64_t>("an unsigned integer"); }
  void read(float& value) { value = in_.number<float>("a number"); }
  void read(double& value) { value = in_.number<double>("a number"); }
  void read(std::string& value) { value = memory_for(in_.string("a string in quotes")); }
  void read(Bytes& value) { value = Bytes::copy_of(memory_for(in_.string("a string in quotes"))); }
  template <class E>
  requires std::is_enum_v<E>
  void read(E& value) {
    const char* const start = in_.position();
    const auto number = in_.number<int32_t>("an integer");
    if (number < 0 || number > last_of(E{})) in_.fail_at(start, "expected a number up to " + std::to_string(last_of(E{})));
    value = static_cast<E>(number);
  }
  template <class T>
  void read(std::shared_ptr<T>& message) {
    auto made = std::make_shared<std::remove_const_t<T>>();
    read(*made);
    message = std::move(made);
  }
  template <class T>
  void read(std::vector<T>& list) {
    in_.expect('[', "'['");
    list_until(']', "',' or ']'", [&] { entry(list); });
  }
  // A message without a syntax of its own.
  template <IsMessage M>
  void read(M& message) {
    const wire::Budget::Level level(budget_);
    budget_.take_message(sizeof(M));
    in_.expect('{', "'{'");
    named_fields(message, '}');
  }

 private:
  // Runs `each` for the entries between commas up to the sign `close`, which it passes.
  template <class Each>
  void list_until(char close, std::string_view what, Each&& each) {
    if (in_.matches(close)) return;
    do {
      each();
    } while (in_.matches(','));
    in_.expect(close, what);
  }
  template <class T>
  void entry(std::vector<T>& list) {
    if constexpr (!IsMessage<T>) budget_.take_elements(1, sizeof(T));
    T value{};
    read(value);
    list.push_back(std::move(value));
  }

  // "name: value" for fields without a place of their own, up to `close`.
  template <class M>
  void named_fields(M& message, char close);
  template <class M>
  void extras(M& message) {
    if (!in_.next_is_extras()) return;
    in_.matches("%{");
    named_fields(message, '}');
  }
  std::string memory_for(std::string text) {
    budget_.take_memory(text.size());
    return text;
  }
  std::string name(std::string_view what) { return memory_for(in_.name(what)); }
  void names(std::vector<std::string>& list);  // of a node's inputs or outputs: may be empty, or left out between commas

  bool next_is_type();
  int32_t element_type();
  void dimension(Dimension& dim);
  void tensor_type(TensorType& type);
  void inner_type(std::shared_ptr<const Type>& type);
  void opaque_type(OpaqueType& type);
  std::string qualified_name(std::string_view what);
  void type_kind(Type& type);

  void arrow() { in_.expect("=>", "'=>'"); }
  void graph_input(Graph& graph);
  void initializer_or_value(Graph& graph);
  void nodes(std::vector<Node>& list);
  void operator_name(Node& node);
  void attributes(std::vector<Attribute>& list);
  void function_attribute(Function& function);
  void function_value(Function& function, std::vector<std::string>& list);

  void attribute_type(Attribute& attribute);
  void typed_attribute(Attribute& attribute);
  bool needs_value(const Attribute& attribute);
  void attribute_value(Attribute& attribute);
  void attribute_list(Attribute& attribute);
  AttributeType guessed_type();
  void read_single(Attribute& attribute);
  void read_list(Attribute& attribute);

  // The rest of a tensor whose type and name were read; `start` is where the type stands.
  void tensor_of(const Type& type, TensorData& tensor, const char* start);
  void elements(TensorData& tensor);
  template <class T>
  void elements_of(std::vector<T>& list);

  Scanner in_;
  wire::Budget budget_;
};

// Offers a name to the fields of a message; the one that has it reads its value.
class FieldParser {
 public:
  FieldParser(Parser& parser, std::string_view wanted, uint64_t skipped) : parser_(parser), wanted_(wanted), skipped_(skipped) {}
  int taken() const { return taken_; }  // the number of the field; 0 for none

  template <class T>
  void field(int number, const char* name, T& member) {
    if (takes(number, name)) parser_.read(member);
  }
  template <class T>
  void field(int number, const char* name, bool& has, T& member) {
    if (!takes(number, name)) return;
    has = true;
    parser_.read(member);
  }
  template <class T>
  void packed(int number, const char* name, T& member) {
    field(number, name, member);
  }
  template <class T, class Variant>
  void one_of(int number, const char* name, Variant& member) {
    if constexpr (!IsMessage<T>) {
      if (!takes(number, name)) return;
      T value{};
      parser_.read(value);
      member = std::move(value);
    }
  }

 private:
  bool takes(int number, const char* name) {
    if (taken_ != 0 || (skipped_ & bit(number)) != 0 || wanted_ != name) return false;
    taken_ = number;
    return true;
  }

  Parser& parser_;
  std::string_view wanted_;
  uint64_t skipped_;
  int taken_ = 0;
};

// Lists the names of the fields that stand by name, for errors.
class FieldNames {
 public:
  explicit FieldNames(uint64_t skipped) : skipped_(skipped) {}
  const std::string& text() const { return text_; }

  void field(int number, const char* name, const auto&) { add(number, name); }
  void field(int number, const char* name, bool, const auto&) { add(number, name); }
  void packed(int number, const char* name, const auto&) { add(number, name); }
  template <class T, class Variant>
  void one_of(int number, const char* name, const Variant&) {
    if constexpr (!IsMessage<T>) add(number, name);
  }

 private:
  void add(int number, const char* name) {
    if ((skipped_ & bit(number)) == 0) text_.append(text_.empty() ? "" : ", ").append(name);
  }
  uint64_t skipped_;
  std::string text_;
};

template <class M>
void Parser::named_fields(M& message, char close) {
  uint64_t seen = 0;
  const std::string after = std::string("',' or '") + close + "'";
  list_until(close, after, [&] {
    const char* const start = in_.position();
    const std::string_view word = in_.identifier("the name of a field");
    in_.expect(':', "':'");
    FieldParser parser(*this, word, kPlaced<M> | seen);
    fields(parser, message);
    if (parser.taken() == 0) {
      FieldNames names(kPlaced<M> | seen);
      fields(names, message);
      in_.fail_at(start, "expected one of: " + names.text() + " (once each), found '" + std::string(word.substr(0, 40)) + "'");
    }
    seen |= bit(parser.taken());
  });
}

}  // namespace sardonyx::model::text
