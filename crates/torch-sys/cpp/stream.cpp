#include "stream.h"

#include <c10/util/Exception.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "shim.h"

namespace pt2 {

namespace {

// Looks up a function of CUDA's runtime (13.0) or of aoti_torch/c/shim.h (2.11).
template <class Function>
Function *found(const char *name) {
  return reinterpret_cast<Function *>(cuda_symbol(name));
}

void *made() {
  constexpr unsigned int kNonBlocking = 1;
  static auto *const make = found<int(void **, unsigned int)>("cudaStreamCreateWithFlags");
  void *stream = nullptr;
  check_cuda(make(&stream, kNonBlocking));
  return stream;
}

// Streams are reused and never destroyed: libraries keep a workspace for each.
class StreamPool {
 public:
  void *take(int32_t device) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto &idle = idle_[device];
    if (idle.empty()) {
      return made();
    }
    auto *stream = idle.back();
    idle.pop_back();
    return stream;
  }

  void give_back(int32_t device, void *stream) {
    std::lock_guard<std::mutex> lock(mutex_);
    idle_[device].push_back(stream);
  }

 private:
  std::mutex mutex_;
  std::map<int32_t, std::vector<void *>> idle_;
};

// Leaked: models may be freed while the process exits.
StreamPool &idle() {
  static auto *all = new StreamPool;
  return *all;
}

}  // namespace

void check_cuda(int code) {
  if (code != 0) {
    // The error is reported here, so it is cleared in the runtime.
    found<int()>("cudaGetLastError")();
    throw c10::AcceleratorError(
        {__func__, __FILE__, __LINE__}, code,
        std::string("CUDA error: ") + found<const char *(int)>("cudaGetErrorString")(code));
  }
}

OwnStream::OwnStream(int32_t device) : device_(device), raw_(idle().take(device)) {}

OwnStream::~OwnStream() {
  attempted([&] { idle().give_back(device_, raw_); });
}

void *current_stream(int32_t device) {
  static auto *const get = found<int32_t(int32_t, void **)>("aoti_torch_get_current_cuda_stream");
  void *stream = nullptr;
  TORCH_CHECK(get(device, &stream) == 0, "libtorch shows no current stream");
  return stream;
}

CurrentStream::CurrentStream(void *stream, int32_t device) {
  static auto *const make = found<int32_t(void *, int32_t, void **)>("aoti_torch_create_cuda_stream_guard");
  TORCH_CHECK(make(stream, device, &guard_) == 0, "libtorch refused the stream");
}

CurrentStream::~CurrentStream() {
  attempted([&] {
    static auto *const end = found<int32_t(void *)>("aoti_torch_delete_cuda_stream_guard");
    end(guard_);
  });
}

}  // namespace pt2
