// For tests: fills messages of the schema with random values, in the form in which the reader leaves them.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "model/schema.h"

namespace sardonyx::model {

class RandomMessage {
 public:
  // Each field is filled with probability `density`; messages nest at most `depth` levels.
  RandomMessage(uint64_t seed, double density, int depth) : random_(seed), density_(density), depth_(depth) {}

  template <class M>
  void fill(M& message) {
    Presence* outer = std::exchange(presence_, &message.presence);
    --depth_;
    fields(*this, message);
    ++depth_;
    presence_ = outer;
    if (coin(0.1)) message.unknown = Bytes::copy_of("\xc0\xbb\x01\x05");  // field 3000, varint 5
    if constexpr (std::same_as<M, Attribute>) settle(message);
  }

  void field(int n, const char*, int64_t& m) { scalar(n, m, static_cast<int64_t>(random_())); }
  void field(int n, const char*, int32_t& m) { scalar(n, m, static_cast<int32_t>(random_())); }
  void field(int n, const char*, float& m) { scalar(n, m, static_cast<float>(below(1000)) - 500.5f); }
  void field(int n, const char*, std::string& m) { scalar(n, m, text()); }
  void field(int n, const char*, Bytes& m) { scalar(n, m, Bytes::copy_of(text())); }
  void field(int, const char*, Attribute::Type& m) { m = static_cast<Attribute::Type>(1 + below(14)); }
  void field(int n, const char*, TensorData::Location& m) { scalar(n, m, TensorData::Location::kExternal); }

  template <IsMessage M>
  void field(int n, const char*, M& m) {
    if (nests()) fill(m);
    if (m == M{} && coin(density_)) presence_->set(n);
  }
  template <IsMessage M>
  void field(int, const char*, bool& has, M& m) {
    has = nests();
    if (has) fill(m);
  }
  template <class M>
  void field(int, const char*, std::shared_ptr<M>& m) {
    if (!nests()) return;
    auto made = std::make_shared<std::remove_const_t<M>>();
    fill(*made);
    m = made;
  }
  template <class T>
  void field(int, const char*, std::vector<T>& list) {
    for (size_t count = coin(density_) ? 1 + below(2) : 0; count > 0; --count) entry(list);
  }
  template <class T>
  void packed(int n, const char* name, std::vector<T>& list) {
    field(n, name, list);
  }
  template <class T, class Variant>
  void one_of(int, const char*, Variant& m) {
    if constexpr (std::same_as<T, int64_t>) {
      if (coin(0.5)) m = static_cast<int64_t>(random_());
    } else if constexpr (std::same_as<T, std::string>) {
      if (coin(0.5)) m = text();
    } else if constexpr (IsMessage<T>) {
      if (nests() && coin(0.4)) fill(m.template emplace<T>());
    }
  }

 private:
  bool coin(double probability) { return std::bernoulli_distribution(probability)(random_); }
  bool nests() { return depth_ > 0 && coin(density_); }
  size_t below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(random_); }
  std::string text() {
    std::string result(below(21), '\0');
    for (char& c : result) c = static_cast<char>(random_());
    return result;
  }
  template <class T>
  void scalar(int number, T& member, T value) {
    if (!coin(density_)) return;
    if (!coin(0.2)) member = std::move(value);
    if (member == T{}) presence_->set(number);
  }
  template <class T>
  void entry(std::vector<T>& list) {
    if constexpr (std::same_as<T, std::string>) {
      list.push_back(text());
    } else if constexpr (std::same_as<T, Bytes>) {
      list.push_back(Bytes::copy_of(text()));
    } else if constexpr (std::is_arithmetic_v<T>) {
      list.push_back(static_cast<T>(random_()));
    } else if (depth_ > 0) {
      if constexpr (IsMessage<T>) {
        fill(list.emplace_back());
      } else {
        fill(*list.emplace_back(std::make_shared<typename T::element_type>()));
      }
    }
  }
  // The marks that the reader would leave.
  void settle(Attribute& a) {
    const auto imply = [&](Attribute::Type type, int number, bool is_default) {
      if (a.type != type || !is_default || !a.ref_attr_name.empty()) return;
      a.presence.clear(number);
      if (coin(0.5)) a.presence.set(Attribute::kValueLeftOut);
    };
    imply(Attribute::Type::kFloat, 2, a.f == 0);
    imply(Attribute::Type::kInt, 3, a.i == 0);
    imply(Attribute::Type::kString, 4, a.s.empty());
  }

  std::mt19937_64 random_;
  double density_;
  int depth_;
  Presence* presence_ = nullptr;
};

}  // namespace sardonyx::model
