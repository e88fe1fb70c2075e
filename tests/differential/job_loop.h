// Jobs of a driver: one a line on standard input, words separated by tabs; the answer is "ok" or "error: ...", on one line.
#pragma once

#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "sardonyx/error.h"

namespace sardonyx::differential {

using Job = std::vector<std::string>;

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::kIo, "cannot open " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw Error(ErrorCode::kIo, "cannot write " + path);
}

// Calls run(job) for each line until the input ends; what it throws is the answer.
template <class Run>
int serve_jobs(const Run& run) {
  for (std::string line; std::getline(std::cin, line);) {
    Job job;
    std::istringstream rest(line);
    for (std::string word; std::getline(rest, word, '\t');) job.push_back(word);
    try {
      run(job);
      std::cout << "ok" << std::endl;
    } catch (const std::exception& error) {
      std::string text = error.what();
      for (char& c : text) c = c == '\n' ? ' ' : c;
      std::cout << "error: " << text << std::endl;
    }
  }
  return 0;
}

}  // namespace sardonyx::differential
