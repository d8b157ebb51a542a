// First call of a process, which loads libtorch, from many threads concurrently.

#include <atomic>
#include <fstream>
#include <thread>

#include "arrays.hpp"

namespace {

bool is_mapped(const std::string &library) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(library) != std::string::npos) return true;
  }
  return false;
}

void asking_for_the_version_loads_nothing() {
  CHECK(std::string(pt2_version()).find('.') != std::string::npos);
  pt2_free(nullptr);
  pt2_tensor_free(nullptr);
  pt2_error_free(nullptr);
  CHECK(pt2_error_code(nullptr) == 0);
  CHECK(!is_mapped("libtorch_cpu") && !is_mapped("libpt2_core"));
}

void threads_that_load_at_once_all_succeed() {
  constexpr int THREADS = 8;
  const std::string name = "2.11.0/mini_resnet";
  const std::string path = archive((name + ".pt2").c_str());
  std::atomic<int> waiting{THREADS};
  std::vector<std::vector<std::vector<std::string>>> outputs(THREADS);
  std::vector<std::thread> threads;
  for (auto &output : outputs) {
    threads.emplace_back([&] {
      for (--waiting; waiting > 0;) std::this_thread::yield();
      const pt2::Model model = pt2::Model::load(path);
      for (const StoredCall &call : stored_calls(name)) output.push_back(run_to_bytes(model, call.inputs));
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK(is_mapped("libtorch_cpu") && is_mapped("libpt2_core"));
  CHECK(!outputs.front().empty());
  for (const auto &output : outputs) CHECK(output == outputs.front());
}

}  // namespace

int main() {
  asking_for_the_version_loads_nothing();
  threads_that_load_at_once_all_succeed();
  return 0;
}
