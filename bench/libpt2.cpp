// libpt2 from C++: loads an archive, runs one forward, then times more.
//
//     libpt2 [--exact] ARCHIVE DEVICE BATCH REPEAT
//
// Prints one line of JSON with times in milliseconds. A forward ends when its output is on the host.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pt2.hpp>
#include <random>
#include <vector>

using Clock = std::chrono::steady_clock;

static double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int main(int argc, char **argv) {
  pt2::LoadOptions options;
  if (argc > 1 && std::strcmp(argv[1], "--exact") == 0) {
    options.optimization = pt2::Optimization::Exact;
    ++argv;
    --argc;
  }
  if (argc != 5) return 2;
  options.device = argv[2];
  const std::int64_t batch = std::atoi(argv[3]);
  std::vector<float> values(static_cast<std::size_t>(batch) * 3 * 128 * 128);
  std::mt19937 random(0);
  std::normal_distribution<float> normal;
  std::generate(values.begin(), values.end(), [&] { return normal(random); });
  // As for the peers, CUDA is up before the clock starts.
  const pt2::Tensor host = pt2::Tensor::borrow(values.data(), {batch, 3, 128, 128});
  const pt2::Tensor input = host.to_device(argv[2]);

  auto start = Clock::now();
  const pt2::Model model = pt2::Model::load(argv[1], options);
  const double load = since(start);
  auto forward = [&] {
    const auto begin = Clock::now();
    model.run(input).at(0).to_host();
    return since(begin);
  };
  const double first = forward();
  std::vector<double> times;
  for (int i = 0; i < std::atoi(argv[4]); ++i) times.push_back(forward());
  std::sort(times.begin(), times.end());
  std::printf("{\"load\": %.3f, \"first\": %.3f, \"steady\": %.3f}\n", load, first, times[times.size() / 2]);
}
