// Measurements of this process: its age, its memory, bytes read and memory used on the GPU.

#ifndef BENCH_PROCESS_HPP
#define BENCH_PROCESS_HPP

#include <dlfcn.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

namespace bench {

using Clock = std::chrono::steady_clock;

inline double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Returns the processor time of all threads of this process.
inline double cpu_milliseconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6;
}

/// Returns milliseconds since BENCH_START, the monotonic clock in nanoseconds when the process was
/// requested.
inline double since_process_start() {
  const char *asked = std::getenv("BENCH_START");
  if (asked == nullptr) return -1;
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch());
  return static_cast<double>(now.count() - std::atoll(asked)) / 1e6;
}

/// Returns the number of `name` in a file of lines `name: number unit`.
inline long long proc_field(const char *path, const std::string &name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::atoll(line.c_str() + name.size() + 1);
  }
  return -1;
}

/// Looks up a function in the CUDA runtime that libtorch loaded; this program is built without
/// CUDA.
template <class Function>
Function *cuda_function(const char *name) {
  for (const char *library : {"libcudart.so.13", "libcudart.so.12"}) {
    void *handle = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    if (handle != nullptr) return reinterpret_cast<Function *>(dlsym(handle, name));
  }
  throw std::runtime_error(std::string("no CUDA runtime in this process for ") + name);
}

/// Returns the bytes that all processes use on the current GPU. The machine must be idle otherwise.
inline long long device_memory() {
  std::size_t free = 0, total = 0;
  if (cuda_function<int(std::size_t *, std::size_t *)>("cudaMemGetInfo")(&free, &total) != 0) return -1;
  return static_cast<long long>(total - free);
}

inline void *new_cuda_stream() {
  void *stream = nullptr;
  const unsigned int non_blocking = 1;
  if (cuda_function<int(void **, unsigned int)>("cudaStreamCreateWithFlags")(&stream, non_blocking) != 0) {
    throw std::runtime_error("cudaStreamCreateWithFlags failed");
  }
  return stream;
}

/// Loads libtorch's CUDA library. Must precede any use of libtorch.
inline void load_cuda_half() {
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) throw std::runtime_error(dlerror());
}

/// Prints the end of the line of JSON: the resources that the process has used so far.
inline void print_usage(bool cuda) {
  std::printf(
      ", \"peak_host\": %lld, \"anonymous_host\": %lld, \"read_calls\": %lld, \"read_disk\": %lld, "
      "\"peak_device\": %lld}\n",
      proc_field("/proc/self/status", "VmHWM") << 10, proc_field("/proc/self/status", "RssAnon") << 10,
      proc_field("/proc/self/io", "rchar"), proc_field("/proc/self/io", "read_bytes"),
      cuda ? device_memory() : 0);
}

}  // namespace bench

#endif
