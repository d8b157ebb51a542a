// PyTorch's own native runtime, from C++: loads an archive, runs one forward, then times more. libtorch 2.11
// ships the runtime without a header, so the handle class is declared as its exported symbols have it.
//
//     nativert ARCHIVE DEVICE BATCH REPEAT
//
// Prints one line of JSON with times in milliseconds. A forward ends when its output is on the host.

#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace torch::nativert {
class ModelRunner;
class ModelRunnerHandle {
 public:
  ModelRunnerHandle(const std::string &archive, const std::string &model);
  ~ModelRunnerHandle();
  c10::IValue run(const std::vector<c10::IValue> &args,
                  const std::unordered_map<std::string, c10::IValue> &kwargs = {});

 private:
  std::unique_ptr<ModelRunner> impl_;
};
}  // namespace torch::nativert

using Clock = std::chrono::steady_clock;

static double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  c10::InferenceMode inference;
  at::Device device(argv[2]);
  at::Tensor input = torch::randn({std::atoi(argv[3]), 3, 128, 128}).to(device);
  if (device.is_cuda()) torch::cuda::synchronize();

  // Its destructor is not among the exported symbols, so the process ends without it.
  alignas(16) static char place[sizeof(torch::nativert::ModelRunnerHandle)];
  auto start = Clock::now();
  auto *model = new (place) torch::nativert::ModelRunnerHandle(argv[1], "model");
  if (device.is_cuda()) torch::cuda::synchronize();
  double load = since(start);

  auto forward = [&] {
    auto begin = Clock::now();
    model->run({input}).toTensor().cpu();
    return since(begin);
  };
  double first = forward();
  std::vector<double> times;
  for (int i = 0; i < std::atoi(argv[4]); ++i) times.push_back(forward());
  std::sort(times.begin(), times.end());
  std::printf("{\"load\": %.3f, \"first\": %.3f, \"steady\": %.3f}\n", load, first, times[times.size() / 2]);
  std::fflush(stdout);
  _exit(0);
}
