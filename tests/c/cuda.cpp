// CUDA beside the CPU in one process. Skipped (exit code 77) without a device.
//
//     cuda [CASE]
//
// The order in which devices are first used decides libtorch's abilities until the process exits,
// so each case is a process. Without an argument all of them run in turn.

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <pt2.hpp>
#include <string>
#include <thread>
#include <vector>

#define REQUIRE(condition)                                                                   \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::cerr << __FILE__ << ":" << __LINE__ << ": does not hold: " << #condition << "\n"; \
      std::exit(1);                                                                          \
    }                                                                                        \
  } while (0)

using Floats = std::vector<float>;

static std::string archive() {
  const char *folder = std::getenv("PT2_ARCHIVES");
  REQUIRE(folder != nullptr);
  return std::string(folder) + "/2.11.0/mini_resnet.pt2";
}

static Floats images(std::size_t batch, std::size_t seed = 0) {
  Floats values(batch * 3 * 32 * 32);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>((i + seed) * 7919 % 1000) / 500 - 1;
  }
  return values;
}

static pt2::Model load(const std::string &device, std::int64_t graphs = 0) {
  pt2::LoadOptions options;
  options.device = device;
  options.cuda_graphs = graphs;
  return pt2::Model::load(archive(), options);
}

static Floats forward(const pt2::Model &model, std::size_t batch, void *stream = nullptr,
                      std::size_t seed = 0) {
  Floats values = images(batch, seed);
  const auto rows = static_cast<std::int64_t>(batch);
  pt2::RunOptions options;
  options.stream = stream;
  const pt2::Tensor host = pt2::Tensor::borrow(values.data(), {rows, 3, 32, 32});
  std::vector<pt2::Tensor> inputs;
  inputs.push_back(host.to_device(model.device(), model.device() == "cpu" ? nullptr : stream));
  return model.run(inputs, options).at(0).values<float>();
}

static bool close(const Floats &left, const Floats &right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    // The devices round differently, and CUDA's convolutions use TF32 as PyTorch's do.
    if (!(std::abs(left[i] - right[i]) <= 1e-2f * (1 + std::abs(right[i])))) return false;
  }
  return true;
}

static bool loaded(const char *library) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(library) != std::string::npos) return true;
  }
  return false;
}

static void cpu_first() {
  const Floats host = forward(load("cpu"), 5);
  REQUIRE(close(forward(load("cuda"), 5), host));
  REQUIRE(load("cuda").device() == "cuda:0");
}

static void cuda_first() {
  const Floats device = forward(load("cuda"), 5);
  REQUIRE(close(device, forward(load("cpu"), 5)));
}

static void without_cuda() {
  pt2::LoadOptions options;
  options.without_cuda = true;
  options.device = "cpu";
  forward(pt2::Model::load(archive(), options), 2);
  REQUIRE(!loaded("libtorch_cuda.so"));
  try {
    load("cuda");
    REQUIRE(!"a CUDA model loads after the process opted out");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Device);
    REQUIRE(std::strstr(error.what(), "opted out") != nullptr);
  }
}

// Eight callers during captures for several sizes: captures and warm-up runs share memory.
static void threads() {
  const pt2::Model plain = load("cuda", -1);
  std::map<std::size_t, Floats> expected;
  for (std::size_t batch = 1; batch <= 6; ++batch) expected[batch] = forward(plain, batch);
  for (int round = 0; round < 10; ++round) {
    const pt2::Model model = load("cuda");
    std::vector<std::thread> all;
    for (int t = 0; t < 8; ++t) {
      all.emplace_back([&, t] {
        for (int call = 0; call < 60; ++call) {
          const std::size_t batch = 1 + static_cast<std::size_t>(t + call) % 6;
          REQUIRE(forward(model, batch) == expected.at(batch));
        }
      });
    }
    for (std::thread &thread : all) thread.join();
  }
}

static void stream() {
  const pt2::Model model = load("cuda");
  const Floats expected = forward(model, 3);
  void *runtime = dlopen("libcudart.so.13", RTLD_LAZY | RTLD_NOLOAD);
  REQUIRE(runtime != nullptr);
  auto create = reinterpret_cast<int (*)(void **, unsigned)>(dlsym(runtime, "cudaStreamCreateWithFlags"));
  REQUIRE(create != nullptr);
  for (int i = 0; i < 3; ++i) {
    void *stream = nullptr;
    REQUIRE(create(&stream, 1) == 0);  // 1: cudaStreamNonBlocking
    for (int call = 0; call < 20; ++call) REQUIRE(forward(model, 3, stream) == expected);
  }
  REQUIRE(forward(model, 3) == expected);
}

static void errors() {
  const pt2::Model model = load("cuda");
  const Floats expected = forward(model, 2);
  Floats values = images(2);
  try {
    model.run(pt2::Tensor::borrow(values.data(), {2, 3, 32, 32}));
    REQUIRE(!"an input on the CPU is taken by a CUDA model");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Input);
    REQUIRE(std::strstr(error.what(), "it is on cpu, the model is on cuda:0") != nullptr);
  }
  try {
    load("cuda:99");
    REQUIRE(!"a device that does not exist loads");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Device);
  }
  REQUIRE(forward(model, 2) == expected);
}

// CUDA graphs return the bits of runs without them, for other values and in any order of shapes.
/// Host memory that is said to be the device's.
static void foreign_memory() {
  load("cuda");
  float values[4] = {0, 1, 2, 3};
  const std::int64_t sizes[] = {4};
  pt2_tensor *tensor = nullptr;
  pt2_error *error = pt2_tensor_from_memory(values, PT2_DTYPE_FLOAT32, sizes, nullptr, 1, "cuda:0", nullptr,
                                            nullptr, &tensor);
  REQUIRE(error != nullptr && tensor == nullptr);
  REQUIRE(pt2_error_code(error) == PT2_ERROR_ARGUMENT);
  REQUIRE(std::strstr(pt2_error_message(error), "data") != nullptr);
  pt2_error_free(error);
  forward(load("cuda"), 2);
}

static void graphs() {
  const pt2::Model recorded = load("cuda", 2);
  const pt2::Model plain = load("cuda", -1);
  for (std::size_t call = 0; call < 60; ++call) {
    const std::size_t batch = 1 + call / 2 % 3;
    REQUIRE(forward(recorded, batch, nullptr, call) == forward(plain, batch, nullptr, call));
  }
  const pt2::Statistics statistics = recorded.statistics();
  std::printf("%llu CUDA graphs, %llu launches %s\n", static_cast<unsigned long long>(statistics.cuda_graphs),
              static_cast<unsigned long long>(statistics.cuda_graph_launches),
              statistics.cuda_graph_refusal.c_str());
  REQUIRE(statistics.cuda_graphs == 2);
  REQUIRE(statistics.cuda_graph_launches > 10);
  REQUIRE(statistics.cuda_graph_refusal.empty());
  REQUIRE(plain.statistics().cuda_graph_launches == 0);
  REQUIRE(recorded.clone().statistics().cuda_graphs == 2);
}

// A CUDA graph's output has memory of its own.
static void graph_outputs() {
  const pt2::Model model = load("cuda");
  std::vector<pt2::Tensor> kept;
  std::vector<Floats> expected;
  for (std::size_t call = 0; call < 12; ++call) {
    Floats values = images(2, call);
    const pt2::Tensor host = pt2::Tensor::borrow(values.data(), {2, 3, 32, 32});
    kept.push_back(std::move(model.run(host.to_device("cuda")).at(0)));
    expected.push_back(forward(load("cuda", -1), 2, nullptr, call));
  }
  REQUIRE(model.statistics().cuda_graph_launches > 0);
  for (std::size_t call = 0; call < kept.size(); ++call)
    REQUIRE(kept[call].values<float>() == expected[call]);
}

// Outputs are written to host and device memory, before and after a capture.
static void caller_outputs() {
  const pt2::Model model = load("cuda");
  const pt2::Tensor device = pt2::Tensor::from(Floats(2 * 20), {2, 20}).to_device("cuda");
  for (std::size_t call = 0; call < 8; ++call) {
    Floats values = images(2, call), host(2 * 20, 7);
    const Floats expected = forward(load("cuda", -1), 2, nullptr, call);
    std::vector<pt2::Tensor> inputs, outputs;
    inputs.push_back(pt2::Tensor::borrow(values.data(), {2, 3, 32, 32}).to_device("cuda"));
    outputs.push_back(pt2::Tensor::borrow(host.data(), pt2::Dtype::Float32, {2, 10}, {20, 2}));
    model.run_into(inputs, outputs);
    for (std::size_t i = 0; i < host.size(); ++i) REQUIRE(host[i] == (i % 2 ? 7 : expected[i / 2]));
    outputs[0] = model.run(inputs).at(0).to_host().to_device("cuda");
    pt2::Tensor &there = outputs[0];
    model.run_into(inputs, outputs);
    REQUIRE(there.values<float>() == expected);
  }
  try {
    std::vector<pt2::Tensor> inputs, outputs;
    Floats values = images(2);
    inputs.push_back(pt2::Tensor::borrow(values.data(), {2, 3, 32, 32}).to_device("cuda"));
    outputs.push_back(device.share());
    model.run_into(inputs, outputs);
    REQUIRE(!"an output of other sizes is taken");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Argument);
  }
}

static void no_graphs_for_state() {
  pt2::LoadOptions options;
  options.device = "cuda";
  const std::string folder = std::getenv("PT2_ARCHIVES");
  const pt2::Model model = pt2::Model::load(folder + "/2.11.0/mutation.pt2", options);
  REQUIRE(model.statistics().cuda_graph_refusal == "it writes to its state or its inputs");
}

// CUDA graphs hold the addresses of weights: none is launched after a swap of the weights.
// Constants folded from the old weights are replaced on all streams.
static void swapped_weights() {
  const pt2::Model recorded = load("cuda"), plain = load("cuda", -1);
  const pt2::Tensor host = load("cpu").parameter("layers.0.conv1.weight");
  Floats values = host.values<float>();
  for (float &value : values) value = value / 2 + 0.0625f;
  const pt2::Tensor other = pt2::Tensor::from(values, host.sizes()).to_device("cuda");
  Floats before = forward(plain, 2);
  for (int round = 0; round < 3; ++round) {
    for (int call = 0; call < 8; ++call) REQUIRE(forward(recorded, 2) == before);
    const std::uint64_t launches = recorded.statistics().cuda_graph_launches;
    REQUIRE(recorded.statistics().cuda_graphs == 1 && launches > 0);
    for (const pt2::Model *model : {&recorded, &plain}) {
      if (round == 1) {
        model->reset_parameters();
      } else {
        model->set_parameter("layers.0.conv1.weight", other);
      }
    }
    REQUIRE(recorded.statistics().cuda_graphs == 0);
    REQUIRE(recorded.statistics().cuda_graph_launches == launches);
    const Floats after = forward(plain, 2);
    REQUIRE(after != before);
    before = after;
  }
  REQUIRE(forward(recorded, 2) == before);
  REQUIRE(recorded.parameter("layers.0.conv1.weight").data() == other.data());
  try {
    recorded.set_parameter("layers.0.conv1.weight", host);
    REQUIRE(!"a tensor on the CPU is taken as a weight on CUDA");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Weight);
    REQUIRE(std::strstr(error.what(), "the model is on cuda:0, a tensor on cpu was given") != nullptr);
  }
}

// Weights are swapped while eight threads run, with and without CUDA graphs: no output mixes both
// sets.
static void swaps_beside_calls() {
  const pt2::Model model = load("cuda");
  const pt2::Tensor host = load("cpu").parameter("fc.weight");
  Floats values = host.values<float>();
  for (float &value : values) value = -value;
  const pt2::Tensor other = pt2::Tensor::from(values, host.sizes()).to_device("cuda");
  std::map<std::size_t, Floats> old_ones, new_ones;
  for (std::size_t batch = 1; batch <= 3; ++batch) old_ones[batch] = forward(model, batch);
  model.set_parameter("fc.weight", other);
  for (std::size_t batch = 1; batch <= 3; ++batch) new_ones[batch] = forward(model, batch);
  std::vector<std::thread> all;
  std::atomic<int> running{8};
  for (int t = 0; t < 8; ++t) {
    all.emplace_back([&, t] {
      for (int call = 0; call < 200; ++call) {
        const std::size_t batch = 1 + static_cast<std::size_t>(t + call) % 3;
        const Floats found = forward(model, batch);
        REQUIRE(found == old_ones.at(batch) || found == new_ones.at(batch));
      }
      --running;
    });
  }
  for (int swap = 0; running > 0; ++swap) {
    if (swap % 2 == 0) {
      model.reset_parameters();
    } else {
      model.set_parameter("fc.weight", other);
    }
  }
  for (std::thread &thread : all) thread.join();
}

static void second_device() {
  try {
    const pt2::Model second = load("cuda:1");
    REQUIRE(second.device() == "cuda:1");
    REQUIRE(forward(second, 4) == forward(load("cuda:0"), 4));
    std::puts("cuda:1 runs");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Device);
    std::puts("there is no cuda:1");
  }
}

// A tuning cache is reused: one file for a program, which a second load does not change.
static void tuning() {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("pt2-tuning-" + std::to_string(getpid()));
  pt2::LoadOptions options;
  options.device = "cuda";
  options.tuning_folder = folder.string();
  try {
    pt2::Model::load(archive(), options);
    REQUIRE(!"a folder that does not exist is taken");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Argument);
    REQUIRE(std::strstr(error.what(), "tuning_folder") != nullptr);
  }
  fs::create_directory(folder);
  const Floats plain = forward(load("cuda"), 4);
  std::string written;
  for (int load = 0; load < 2; ++load) {
    const pt2::Model model = pt2::Model::load(archive(), options);
    const Floats first = forward(model, 4);
    REQUIRE(close(first, plain));
    for (int call = 0; call < 6; ++call) REQUIRE(forward(model, 4) == first);
    REQUIRE(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 1);
    std::ifstream file(fs::directory_iterator(folder)->path());
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    REQUIRE(text.rfind("pt2 tuning 1\ngpu ", 0) == 0);
    REQUIRE(std::count(text.begin(), text.end(), '\n') > 5);
    REQUIRE(load == 0 || text == written);
    written = text;
  }
  fs::remove_all(folder);
}

static const std::map<std::string, void (*)()> cases = {
    {"cpu-first", cpu_first},
    {"cuda-first", cuda_first},
    {"without-cuda", without_cuda},
    {"threads", threads},
    {"stream", stream},
    {"errors", errors},
    {"foreign-memory", foreign_memory},
    {"graphs", graphs},
    {"graph-outputs", graph_outputs},
    {"caller-outputs", caller_outputs},
    {"no-graphs-for-state", no_graphs_for_state},
    {"swapped-weights", swapped_weights},
    {"swaps-beside-calls", swaps_beside_calls},
    {"second-device", second_device},
    {"tuning", tuning},
};

static bool has_device() {
  void *driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return false;
  auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  return init != nullptr && init(0) == 0;
}

/// Without a driver no CUDA library is loaded, and loading for a CUDA device fails.
static int without_driver() {
  forward(load("cpu"), 2);
  REQUIRE(!loaded("libtorch_cuda.so"));
  try {
    load("cuda");
    REQUIRE(!"a CUDA model loads without a driver");
  } catch (const pt2::Error &error) {
    REQUIRE(error.code() == pt2::ErrorCode::Device);
  }
  std::puts("no CUDA device: only that CUDA stays out was tested");
  return 77;
}

int main(int argc, char **argv) {
  try {
    if (argc > 1) {
      cases.at(argv[1])();
      return 0;
    }
    if (!has_device()) return without_driver();
  } catch (const std::exception &error) {
    std::cerr << argv[0] << " " << (argc > 1 ? argv[1] : "") << ": " << error.what() << "\n";
    return 1;
  }
  int failed = 0;
  for (const auto &[name, test] : cases) {
    const int status = std::system((std::string(argv[0]) + " " + name).c_str());
    std::printf("%s: %s\n", name.c_str(), status == 0 ? "ok" : "failed");
    failed += status != 0;
  }
  return failed == 0 ? 0 : 1;
}
