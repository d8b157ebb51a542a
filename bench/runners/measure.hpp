// Measurement loop of all C++ programs here: times a runtime and prints one line of JSON, in
// milliseconds and bytes.
//
// A Runtime has place(), which puts the inputs on the device; load(); and lane(own_stream), called
// once for each thread. A lane's forward() returns the output on the host, and its seen()
// summarises it.

#ifndef BENCH_MEASURE_HPP
#define BENCH_MEASURE_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "arguments.hpp"
#include "process.hpp"

namespace bench {

/// Summary of an output.
struct Seen {
  std::array<double, 4> first;
  std::uint64_t digest;
};

/// FNV-1a of 64 bits (RFC 9923). Outputs with different digests differ in some bit.
inline std::uint64_t digest(const void *data, std::size_t bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < bytes; ++i) {
    hash = (hash ^ static_cast<const unsigned char *>(data)[i]) * 0x100000001b3;
  }
  return hash;
}

/// Returns equal numbers in [-1, 1) for every runner, so that outputs can be compared.
inline std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto scattered = static_cast<std::uint32_t>((i + 1) * 2654435761u);
    values[i] = static_cast<float>(scattered / 2147483648.0 - 1.0);
  }
  return values;
}

/// bfloat16 is the upper half of float32.
inline float widened(std::uint16_t half) {
  const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Summarises a contiguous output of float32 or bfloat16.
inline Seen seen(const void *data, std::size_t count, bool is_float) {
  Seen all{{}, digest(data, count * (is_float ? 4 : 2))};
  for (std::size_t i = 0; i < std::min(all.first.size(), count); ++i) {
    all.first[i] = static_cast<double>(is_float ? static_cast<const float *>(data)[i]
                                                : widened(static_cast<const std::uint16_t *>(data)[i]));
  }
  return all;
}

/// Rounds to nearest, ties to even; the numbers above are finite.
inline std::uint16_t narrowed(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <class Lane>
std::vector<double> timed_calls(Lane &lane, int most, int least, double seconds) {
  std::vector<double> times;
  const auto start = Clock::now();
  while (static_cast<int>(times.size()) < most &&
         (static_cast<int>(times.size()) < least || since(start) < seconds * 1e3)) {
    const auto begin = Clock::now();
    lane.forward();
    times.push_back(since(begin));
  }
  return times;
}

/// Starts CUDA and places the inputs before the clock of load starts.
template <class Runtime>
void latency(const Arguments &arguments, Runtime &runtime) {
  runtime.place();
  auto start = Clock::now();
  runtime.load();
  const double load = since(start);
  auto lane = runtime.lane(false);
  start = Clock::now();
  const auto output = lane.forward();
  const double first = since(start), process = since_process_start(), process_cpu = cpu_milliseconds();
  const Seen found = lane.seen(output);
  timed_calls(lane, arguments.warm, 1, arguments.seconds / 4);
  const double cpu = cpu_milliseconds();
  std::vector<double> times = timed_calls(lane, arguments.repeat, 3, arguments.seconds);
  const double cpu_of_one = (cpu_milliseconds() - cpu) / static_cast<double>(times.size());
  std::sort(times.begin(), times.end());
  std::printf("{\"load\": %.4f, \"first\": %.4f, \"process\": %.4f, \"process_cpu\": %.4f, ", load, first,
              process, process_cpu);
  std::printf("\"steady_cpu\": %.6f, ", cpu_of_one);
  std::printf("\"steady\": %.6f, \"fastest\": %.6f, ", times[times.size() / 2], times.front());
  std::printf("\"slowest\": %.6f, \"calls\": %zu, \"output\": [%.9g, %.9g, %.9g, %.9g], ", times.back(),
              times.size(), found.first[0], found.first[1], found.first[2], found.first[3]);
  std::printf("\"digest\": \"%016llx\"", static_cast<unsigned long long>(found.digest));
}

/// Prepares nothing: the shortest program that a user would write.
template <class Runtime>
void start(Runtime &runtime) {
  runtime.load();
  runtime.place();
  runtime.lane(false).forward();
  std::printf("{\"process\": %.4f", since_process_start());
}

/// Returns calls per second of one thread. All threads begin together.
template <class Runtime>
double rate(const Arguments &arguments, Runtime &runtime, std::atomic<int> &waiting) {
  auto lane = runtime.lane(true);
  for (int i = 0; i < std::max(arguments.warm, 1); ++i) lane.forward();
  for (--waiting; waiting > 0;) std::this_thread::yield();
  const auto start = Clock::now();
  int calls = 0;
  for (; calls < 2 || since(start) < arguments.seconds * 1e3; ++calls) lane.forward();
  return calls * 1e3 / since(start);
}

template <class Runtime>
void throughput(const Arguments &arguments, Runtime &runtime) {
  runtime.place();
  runtime.load();
  runtime.lane(false).forward();
  std::atomic<int> waiting(arguments.threads);
  std::vector<double> rates(static_cast<std::size_t>(arguments.threads));
  std::vector<std::thread> threads;
  for (double &rate_of_one : rates) {
    threads.emplace_back([&] { rate_of_one = rate(arguments, runtime, waiting); });
  }
  for (std::thread &thread : threads) thread.join();
  double sum = 0;
  for (const double one : rates) sum += one;
  std::printf("{\"rate\": %.4f", sum);
}

/// Ends the process without destructors: some runtimes here do not export theirs.
template <class Body>
void run(int argc, char **argv, Body body) {
  try {
    const Arguments arguments = parse(argc, argv);
    body(arguments);
    print_usage(arguments.cuda());
    std::fflush(stdout);
    std::quick_exit(0);
  } catch (const std::exception &failed) {
    std::fprintf(stderr, "%s\n", failed.what());
    std::quick_exit(1);
  }
}

template <class Runtime>
void run(int argc, char **argv) {
  run(argc, argv, [](const Arguments &arguments) {
    static Runtime runtime(arguments);
    if (arguments.mode == "latency") {
      latency(arguments, runtime);
    } else if (arguments.mode == "start") {
      start(runtime);
    } else {
      throughput(arguments, runtime);
    }
  });
}

}  // namespace bench

#endif
