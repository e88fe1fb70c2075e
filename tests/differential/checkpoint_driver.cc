// Shows checkpoints to the differential tests: reads commands from standard input, one per line, arguments separated by tabs, and answers
// each with one line, `ok ...` or `error <code>: <message>`.
//
//   dump IN FOLDER [KEY]     the state dict: FOLDER/names.tsv (name, type, shape per line) and FOLDER/<index>.bin (the elements)
//   tree IN FOLDER           the whole tree as JSON in FOLDER/tree.json; tensors as {"tensor": type, "shape": [...]}
//   resave IN OUT            the state dict into OUT, safetensors if it ends so, else .pth
//   metadata IN              the metadata of safetensors, as key=value
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "sardonyx/checkpoint.h"

namespace {

using sardonyx::CheckpointValue;
using sardonyx::Tensor;

std::string shape_text(const Tensor& tensor) {
  std::string text;
  for (const int64_t size : tensor.shape()) text += (text.empty() ? "" : ",") + std::to_string(size);
  return text;
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("cannot write " + path);
}

std::string_view bytes_of(const Tensor& tensor) { return {static_cast<const char*>(tensor.raw()), tensor.byte_size()}; }

std::string dump(const std::string& in, const std::string& folder, const std::string& key) {
  sardonyx::CheckpointOptions options;
  options.key = key;
  const sardonyx::StateDict state = sardonyx::load_checkpoint(in, options);
  std::string names;
  size_t index = 0;
  for (const auto& [name, tensor] : state) {
    names += name + "\t" + std::string(to_string(tensor.dtype())) + "\t" + shape_text(tensor) + "\n";
    write_file(folder + "/" + std::to_string(index++) + ".bin", bytes_of(tensor));
  }
  write_file(folder + "/names.tsv", names);
  return std::to_string(state.size()) + " tensors";
}

std::string json_text(std::string_view text, bool is_latin1) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == '"' || byte == '\\' || (is_latin1 && byte > 0x7E)) {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_of(const CheckpointValue& value) {
  using Kind = CheckpointValue::Kind;
  const auto tagged = [&](std::string_view tag, const std::string& content) { return "{\"" + std::string(tag) + "\": " + content + "}"; };
  const auto elements = [&] {
    std::string list;
    for (size_t i = 0; i < value.size(); ++i) list += (i == 0 ? "" : ", ") + json_of(value.at(i));
    return "[" + list + "]";
  };
  switch (value.kind()) {
    case Kind::kNone:
      return "null";
    case Kind::kBool:
      return value.as_bool() ? "true" : "false";
    case Kind::kInt:
      return std::to_string(value.as_int());
    case Kind::kBigInt:
      return std::string(value.as_string());
    case Kind::kFloat: {
      std::ostringstream text;
      text << std::hexfloat << value.as_float();
      return tagged("float", json_text(text.str(), false));
    }
    case Kind::kString:
      return json_text(value.as_string(), false);
    case Kind::kBytes:
      return tagged("bytes", json_text(value.as_bytes(), true));
    case Kind::kList:
      return elements();
    case Kind::kTuple:
      return tagged("tuple", elements());
    case Kind::kSet:
      return tagged("set", elements());
    case Kind::kOpaque:
      return tagged("opaque", json_text(value.as_string(), false));
    case Kind::kTensor:
      return "{\"tensor\": " + json_text(to_string(value.as_tensor().dtype()), false) + ", \"shape\": [" + shape_text(value.as_tensor()) +
             "]}";
    case Kind::kDict:
      break;
  }
  std::string pairs;
  for (size_t i = 0; i < value.size(); ++i) pairs += (i == 0 ? "[" : ", [") + json_of(value.key(i)) + ", " + json_of(value.at(i)) + "]";
  return tagged("dict", "[" + pairs + "]");
}

std::string tree(const std::string& in, const std::string& folder) {
  write_file(folder + "/tree.json", json_of(sardonyx::read_checkpoint(in).root));
  return "tree";
}

std::string resave(const std::string& in, const std::string& out) {
  const sardonyx::StateDict state = sardonyx::load_checkpoint(in);
  if (out.ends_with(".safetensors")) {
    sardonyx::save_safetensors(out, state, {{"format", "pt"}});
  } else {
    sardonyx::save_checkpoint(out, state);
  }
  return std::to_string(state.size()) + " tensors";
}

std::string metadata(const std::string& in) {
  std::string text;
  for (const auto& [key, value] : sardonyx::read_checkpoint(in).metadata) text += (text.empty() ? "" : " ") + key + "=" + value;
  return text;
}

std::string run(std::vector<std::string> words) {
  const size_t given = words.size();
  words.resize(std::max<size_t>(given, 4));
  if (words[0] == "dump" && given >= 3) return dump(words[1], words[2], words[3]);
  if (words[0] == "tree" && given == 3) return tree(words[1], words[2]);
  if (words[0] == "resave" && given == 3) return resave(words[1], words[2]);
  if (words[0] == "metadata" && given == 2) return metadata(words[1]);
  throw std::runtime_error("unknown command: " + words[0]);
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::vector<std::string> words;
    std::istringstream stream(line);
    for (std::string word; std::getline(stream, word, '\t');) words.push_back(word);
    try {
      const std::string answer = one_line(run(words));
      std::cout << "ok " << answer << std::endl;
    } catch (const sardonyx::Error& error) {
      std::cout << "error " << to_string(error.code()) << ": " << one_line(error.what()) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "failed: " << one_line(error.what()) << std::endl;
    }
  }
  return 0;
}
