#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "infer/arithmetic.h"
#include "infer/rules.h"

namespace sardonyx::infer {

namespace {
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The letters of one operand, and where its ellipsis stands among them. Other characters mean nothing.
struct Subscripts {
  std::string letters;
  std::optional<size_t> ellipsis;

  explicit Subscripts(std::string_view text) {
    const size_t dots = text.find("...");
    for (size_t i = 0; i < text.size(); ++i) {
      if (i == dots) ellipsis = letters.size();
      if (is_letter(text[i])) letters += text[i];
    }
  }
};

class Einsum {
 public:
  Einsum(const NodeContext& context, std::string_view equation) : context_(context) {
    const size_t arrow = equation.find("->");
    read_operands(equation.substr(0, arrow));
    if (arrow != std::string_view::npos) {
      output_ = Subscripts(equation.substr(arrow + 2));
    } else {
      output_ = implicit_output();
    }
  }

  // Nothing if the output has dimensions of an ellipsis that no operand of known rank tells of.
  std::optional<Dims> result() const {
    Dims dims;
    for (size_t i = 0; i <= output_.letters.size(); ++i) {
      if (output_.ellipsis == i && has_ellipsis_) {
        if (!ellipsis_) return std::nullopt;
        dims.insert(dims.end(), ellipsis_->begin(), ellipsis_->end());
      }
      if (i < output_.letters.size()) dims.push_back(label(output_.letters[i]).size);
    }
    return dims;
  }

 private:
  struct Label {
    Dim size;
    int uses = 0;
  };

  const Label& label(char letter) const { return labels_[static_cast<unsigned char>(letter)]; }

  void read_operands(std::string_view left) {
    size_t operand = 0;
    for (size_t begin = 0; begin <= left.size(); ++operand) {
      const size_t end = std::min(left.find(',', begin), left.size());
      const Subscripts subscripts(left.substr(begin, end - begin));
      if (operand < context_.inputs()) bind(operand, subscripts);
      begin = end + 1;
    }
    if (operand != context_.inputs()) {
      context_.fail(fmt::format("the equation has {} operands, the node {} inputs", operand, context_.inputs()));
    }
  }

  // Labels in alphabetical order that occur once, after the dimensions of the ellipsis.
  Subscripts implicit_output() const {
    Subscripts output(has_ellipsis_ ? "..." : "");
    for (size_t c = 0; c < labels_.size(); ++c) {
      if (labels_[c].uses == 1) output.letters += static_cast<char>(c);
    }
    return output;
  }

  void bind(size_t operand, const Subscripts& subscripts) {
    has_ellipsis_ |= subscripts.ellipsis.has_value();
    for (const char letter : subscripts.letters) ++labels_[static_cast<unsigned char>(letter)].uses;
    const Dims* shape = context_.shape(operand);
    if (shape == nullptr) return;
    const size_t letters = subscripts.letters.size();
    if (subscripts.ellipsis ? shape->size() < letters : shape->size() != letters) {
      context_.fail(fmt::format("the equation gives operand {} {} labels{}, its shape is {}", operand, letters,
                                subscripts.ellipsis ? " beside the ellipsis" : "", context_.symbols().show(*shape)));
    }
    const size_t hidden = shape->size() - letters, first = subscripts.ellipsis.value_or(letters);
    for (size_t i = 0; i < letters; ++i) bind_label(subscripts.letters[i], (*shape)[i < first ? i : i + hidden]);
    if (!subscripts.ellipsis) return;
    const auto begin = shape->begin() + static_cast<std::ptrdiff_t>(first);
    bind_ellipsis(operand, Dims(begin, begin + static_cast<std::ptrdiff_t>(hidden)));
  }

  void bind_label(char letter, Dim dim) {
    Label& label = labels_[static_cast<unsigned char>(letter)];
    if (!is_bound_[static_cast<unsigned char>(letter)]) label.size = dim;
    label.size = combine(label.size, dim);
    is_bound_[static_cast<unsigned char>(letter)] = true;
  }

  void bind_ellipsis(size_t operand, Dims dims) {
    if (!ellipsis_) ellipsis_ = dims;
    if (ellipsis_->size() != dims.size()) {
      context_.fail(fmt::format("the ellipsis stands for {} dimensions of operand {}, for {} of an earlier one", dims.size(), operand,
                                ellipsis_->size()));
    }
    for (size_t i = 0; i < dims.size(); ++i) (*ellipsis_)[i] = combine((*ellipsis_)[i], dims[i]);
  }

  // The size that operands share; a 1 is broadcast. Sizes that contradict each other are not refused here: the first counts.
  static Dim combine(Dim a, Dim b) {
    if (a.is(1)) return b;
    return b.is(1) || a.is_known() || !b.is_known() ? a : b;
  }

  const NodeContext& context_;
  std::array<Label, 128> labels_;
  std::array<bool, 128> is_bound_ = {};
  bool has_ellipsis_ = false;
  std::optional<Dims> ellipsis_;
  Subscripts output_{""};
};
}  // namespace

void infer_einsum(NodeContext& context) {
  std::string equation = model::get_string(context.node(), "equation", "");
  std::erase(equation, ' ');
  if (equation.empty()) return;
  if (std::optional<Dims> dims = Einsum(context, equation).result()) context.set_shape(0, std::move(*dims));
}

}  // namespace sardonyx::infer
