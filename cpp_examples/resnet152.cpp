/// Runs an exported image classifier and prints its speed and its error.
///
///     resnet152 ARCHIVE [--device cpu|cuda|cuda:N] [--reference FILE.npz] [--batch N]
///               [--repeat N] [--tolerance X] [--exact]
///
/// The reference holds numbered calls, in<k>_0 and out<k>_0, as scripts/export_resnet152.py writes
/// them. Without one the input is all ones. A forward starts with its input on the device and ends
/// with its output on the host.
///
/// Exit code 1: an error, or an output whose error exceeds the tolerance.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <pt2.hpp>
#include <string>
#include <vector>

#include "npz.hpp"

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string archive, device, reference;
  std::int64_t batch = 1;
  int repeat = 20;
  double tolerance = 1e-5;
  bool exact = false;
};

struct Call {
  Array input, expected;  // expected.values is empty without a reference
};

struct Report {
  double load = 0, first = 0, steady = 0, error = 0;
  std::size_t repeats = 0, top_class = 0;
  float top_value = 0;
};

struct UsageError {};

static Arguments parse(int argc, char **argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) != 0 && arguments.archive.empty()) {
      arguments.archive = word;
      continue;
    }
    if (word == "--exact") {
      arguments.exact = true;
      continue;
    }
    if (++i == argc) throw UsageError();
    if (word == "--device") {
      arguments.device = argv[i];
    } else if (word == "--reference") {
      arguments.reference = argv[i];
    } else if (word == "--batch") {
      arguments.batch = std::stoll(argv[i]);
    } else if (word == "--repeat") {
      arguments.repeat = std::stoi(argv[i]);
    } else if (word == "--tolerance") {
      arguments.tolerance = std::stod(argv[i]);
    } else {
      throw UsageError();
    }
  }
  if (arguments.archive.empty()) throw UsageError();
  return arguments;
}

static double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Returns an input of ones in the program's sizes; the batch replaces every symbol.
static Array ones(const pt2::Model &model, std::int64_t batch) {
  Array array;
  std::size_t count = 1;
  // The loop would not keep a temporary alive.
  const auto inputs = model.inputs();
  for (const pt2::Dimension &dimension : inputs.at(0).dimensions) {
    array.sizes.push_back(dimension.symbol.empty() ? dimension.size : batch);
    count *= static_cast<std::size_t>(array.sizes.back());
  }
  array.values.assign(count, 1.0f);
  return array;
}

static std::vector<Call> read_calls(const std::string &path) {
  std::map<std::string, Array> arrays = read_npz(path);
  std::vector<Call> calls;
  for (int k = 0; arrays.count("in" + std::to_string(k) + "_0") == 1; ++k) {
    calls.push_back({arrays["in" + std::to_string(k) + "_0"], arrays["out" + std::to_string(k) + "_0"]});
  }
  if (calls.empty()) throw std::runtime_error(path + " holds no array in0_0");
  return calls;
}

static pt2::Tensor upload(const pt2::Model &model, Array &input) {
  return pt2::Tensor::borrow(input.values.data(), input.sizes).to_device(model.device());
}

static pt2::Tensor forward(const pt2::Model &model, const pt2::Tensor &input) {
  return model.run(input).at(0).to_host();
}

/// Returns the largest difference over the largest expected magnitude.
static double relative_error(const pt2::Tensor &output, const Array &expected) {
  if (output.sizes() != expected.sizes)
    throw std::runtime_error("the output has other sizes than the reference");
  const float *values = output.data<float>();
  double difference = 0, magnitude = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const double distance = std::abs(static_cast<double>(values[i]) - expected.values[i]);
    if (std::isnan(distance)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, distance);
    magnitude = std::max(magnitude, std::abs(static_cast<double>(expected.values[i])));
  }
  return difference == 0 ? 0 : difference / magnitude;
}

/// Reports the median of up to `repeat` forwards. Stops after five seconds, but not before three
/// forwards.
static void time_steady(const pt2::Model &model, const pt2::Tensor &input, int repeat, Report &report) {
  std::vector<double> times;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < repeat && (i < 3 || seconds_since(begin) < 5); ++i) {
    const Clock::time_point start = Clock::now();
    forward(model, input);
    times.push_back(seconds_since(start));
  }
  std::sort(times.begin(), times.end());
  report.repeats = times.size();
  if (!times.empty()) report.steady = times[times.size() / 2];
}

static bool python_in_process() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("libpython") != std::string::npos || line.find("libtorch_python") != std::string::npos)
      return true;
  }
  return false;
}

static void print(const Arguments &arguments, const pt2::Model &model, const std::vector<Call> &calls,
                  const Report &report) {
  const std::int64_t batch = calls[0].input.sizes.at(0);
  std::printf("archive          %s\n", arguments.archive.c_str());
  std::printf("device           %s\n", model.device().c_str());
  std::printf("load             %.4f s (and libtorch, which the first load of a process opens)\n",
              report.load);
  std::printf("first forward    %.4f s (batch %lld)\n", report.first, static_cast<long long>(batch));
  std::printf("steady forward   %.4f s (median of %zu)\n", report.steady, report.repeats);
  std::printf("top result       class %zu, %g\n", report.top_class, static_cast<double>(report.top_value));
  if (arguments.reference.empty()) {
    std::printf("relative error   not compared\n");
  } else {
    std::printf("relative error   %.3g (largest of %zu calls, against PyTorch)\n", report.error,
                calls.size());
  }
  std::printf("Python inside    %s\n", python_in_process() ? "yes" : "no");
}

static int run(const Arguments &arguments) {
  Report report;
  pt2::LoadOptions options;
  options.device = arguments.device;
  if (arguments.exact) options.optimization = pt2::Optimization::Exact;
  Clock::time_point start = Clock::now();
  const pt2::Model model = pt2::Model::load(arguments.archive, options);
  report.load = seconds_since(start);

  std::vector<Call> calls;
  if (arguments.reference.empty()) {
    calls.push_back({ones(model, arguments.batch), {}});
  } else {
    calls = read_calls(arguments.reference);
  }
  for (Call &call : calls) {
    const pt2::Tensor input = upload(model, call.input);
    start = Clock::now();
    const pt2::Tensor output = forward(model, input);
    if (&call == &calls.front()) {
      report.first = seconds_since(start);
      const float *scores = output.data<float>();
      const float *top = std::max_element(scores, scores + output.sizes().back());
      report.top_class = static_cast<std::size_t>(top - scores);
      report.top_value = *top;
    }
    if (!arguments.reference.empty())
      report.error = std::max(report.error, relative_error(output, call.expected));
  }
  time_steady(model, upload(model, calls[0].input), arguments.repeat, report);
  print(arguments, model, calls, report);
  if (report.error <= arguments.tolerance) return 0;
  std::cerr << "the outputs are further from PyTorch's than " << arguments.tolerance << '\n';
  return 1;
}

int main(int argc, char **argv) {
  try {
    return run(parse(argc, argv));
  } catch (const UsageError &) {
    std::cerr << "usage: resnet152 ARCHIVE [--device D] [--reference FILE.npz] [--batch N] [--repeat N]"
                 " [--tolerance X] [--exact]\n";
    return 2;
  } catch (const std::exception &error) {
    std::cerr << "resnet152: " << error.what() << '\n';
    return 1;
  }
}
