// Command line of all C++ programs here.
//
//     PROGRAM ARCHIVE DEVICE MODE --input float32:32x3x128x128 … [--level fast|exact|tuned]
//             [--repeat N] [--warm N] [--seconds S] [--threads T]
//
// MODE is latency, start or throughput unless a program declares others.

#ifndef BENCH_ARGUMENTS_HPP
#define BENCH_ARGUMENTS_HPP

#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

struct Input {
  std::string dtype;  // float32 or bfloat16
  std::vector<std::int64_t> sizes;

  std::size_t elements() const {
    std::size_t count = 1;
    for (const std::int64_t size : sizes) count *= static_cast<std::size_t>(size);
    return count;
  }
};

/// `float32:32x3x128x128`
inline Input parse_input(const std::string &text) {
  const std::size_t colon = text.find(':');
  Input input{text.substr(0, colon), {}};
  if (input.dtype != "float32" && input.dtype != "bfloat16") throw std::invalid_argument("dtype of " + text);
  std::istringstream sizes(text.substr(colon + 1));
  for (std::string size; std::getline(sizes, size, 'x');) input.sizes.push_back(std::atoll(size.c_str()));
  return input;
}

struct Arguments {
  std::string archive, device, mode, level = "fast";
  std::vector<Input> inputs;
  int repeat = 50, warm = 5, threads = 1;
  double seconds = 10;

  bool cuda() const { return device.rfind("cuda", 0) == 0; }
};

inline void read_option(Arguments &arguments, const std::string &name, const std::string &value) {
  if (name == "--input") {
    arguments.inputs.push_back(parse_input(value));
  } else if (name == "--level") {
    arguments.level = value;
  } else if (name == "--repeat") {
    arguments.repeat = std::atoi(value.c_str());
  } else if (name == "--warm") {
    arguments.warm = std::atoi(value.c_str());
  } else if (name == "--threads") {
    arguments.threads = std::atoi(value.c_str());
  } else if (name == "--seconds") {
    arguments.seconds = std::atof(value.c_str());
  } else {
    throw std::invalid_argument("unknown option " + name);
  }
}

inline Arguments parse(int argc, char **argv) {
  if (argc < 4 || argc % 2 != 0) throw std::invalid_argument("usage: ARCHIVE DEVICE MODE [--option value]…");
  Arguments arguments{argv[1], argv[2], argv[3]};
  for (int i = 4; i < argc; i += 2) read_option(arguments, argv[i], argv[i + 1]);
  return arguments;
}

}  // namespace bench

#endif
