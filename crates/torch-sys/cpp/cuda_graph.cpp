// CUDA graphs: the kernels of a run, captured once and launched as one.
//
// The CUDA runtime's functions have a C ABI and are looked up in the library that libtorch loaded.
// Memory comes from a private pool of libtorch's allocator, so captured addresses are never reused
// for other tensors.

#include <memory>

#include "shim.h"
#include "stream.h"

using pt2::ShimError;

#if __has_include(<c10/cuda/CUDACachingAllocator.h>)

// Wheels for the CPU have the header, and lack one that CMake generates in builds for CUDA.
#define C10_CUDA_NO_CMAKE_CONFIGURE_FILE
#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>

namespace {

using c10::cuda::CUDACachingAllocator::CUDAAllocator;

// libtorch's CUDA library and, through it, the libraries that it depends on.
struct Runtime {
  template <class Function>
  static Function *find(const char *name) {
    return reinterpret_cast<Function *>(pt2::cuda_symbol(name));
  }

#define PT2_CUDA(name) decltype(::name) *const name = find<decltype(::name)>(#name)
  PT2_CUDA(cudaGetLastError);
  PT2_CUDA(cudaStreamIsCapturing);
  PT2_CUDA(cudaStreamBeginCapture);
  PT2_CUDA(cudaStreamEndCapture);
  PT2_CUDA(cudaGraphInstantiateWithFlags);
  PT2_CUDA(cudaGraphLaunch);
  PT2_CUDA(cudaGraphDestroy);
  PT2_CUDA(cudaGraphExecDestroy);
#undef PT2_CUDA

  // Declared in ATen/cuda/CUDAGraph.h and c10/cuda/CUDACachingAllocator.h (2.11).
  c10::MempoolId_t (*const new_pool)() = find<c10::MempoolId_t()>("_ZN2at4cuda17graph_pool_handleEv");
  std::atomic<CUDAAllocator *> *const allocator =
      find<std::atomic<CUDAAllocator *>>("_ZN3c104cuda20CUDACachingAllocator9allocatorE");
};

// Throws if a symbol is missing; the next call tries again.
const Runtime &runtime() {
  static const Runtime found;
  return found;
}

cudaStream_t current_stream(int32_t device) { return static_cast<cudaStream_t>(pt2::current_stream(device)); }

}  // namespace

namespace pt2 {

// Stream and memory pool of one model.
struct Capturer {
  int32_t device;
  OwnStream own{device};
  c10::MempoolId_t pool = runtime().new_pool();

  explicit Capturer(int32_t index) : device(index) {}

  cudaStream_t stream() const { return static_cast<cudaStream_t>(own.raw()); }

  CUDAAllocator &allocator() const { return *runtime().allocator->load(); }
  auto index() const { return static_cast<c10::DeviceIndex>(device); }
};

// Captured kernels. Holds a share of the pool that their memory comes from.
struct CudaGraph {
  int32_t device;
  c10::MempoolId_t pool;
  cudaGraphExec_t executable;
};

}  // namespace pt2

using pt2::Capturer;
using pt2::CudaGraph;

extern "C" {

ShimError *shim_capturer_new(int32_t device, Capturer **out) noexcept {
  return pt2::caught([&] { *out = new Capturer(device); });
}

// noexcept: destructors do not throw.
void shim_capturer_free(Capturer *capturer) noexcept { delete capturer; }

// noexcept: reads a field.
void *shim_capturer_stream(const Capturer *capturer) noexcept { return capturer->stream(); }

// Directs allocations on the capturer's stream to its pool.
ShimError *shim_capturer_open(Capturer *capturer) noexcept {
  return pt2::caught([&] {
    auto stream = capturer->stream();
    capturer->allocator().beginAllocateToPool(capturer->index(), capturer->pool,
                                              [stream](cudaStream_t asked) { return asked == stream; });
  });
}

// Ends shim_capturer_open. `keep` passes its share of the pool to a CUDA graph.
ShimError *shim_capturer_close(Capturer *capturer, bool keep) noexcept {
  return pt2::caught([&] {
    capturer->allocator().endAllocateToPool(capturer->index(), capturer->pool);
    if (!keep) {
      capturer->allocator().releasePool(capturer->index(), capturer->pool);
    }
  });
}

// Captures this thread's work on the capturer's stream instead of running it. Other threads are
// not restricted.
ShimError *shim_capture_begin(Capturer *capturer) noexcept {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    pt2::check_cuda(cuda.cudaStreamBeginCapture(capturer->stream(), cudaStreamCaptureModeThreadLocal));
  });
}

ShimError *shim_capture_end(Capturer *capturer, CudaGraph **out) noexcept {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    cudaGraph_t graph = nullptr;
    pt2::check_cuda(cuda.cudaStreamEndCapture(capturer->stream(), &graph));
    cudaGraphExec_t executable = nullptr;
    // Like at::cuda::CUDAGraph (ATen/cuda/CUDAGraph.cpp, 2.11): frees the graph's allocations
    // before it is launched again, and keeps the priorities of the captured nodes.
    constexpr unsigned long long flags = 1 | 8;
    auto code = cuda.cudaGraphInstantiateWithFlags(&executable, graph, flags);
    cuda.cudaGraphDestroy(graph);
    pt2::check_cuda(code);
    *out = new CudaGraph{capturer->device, capturer->pool, executable};
  });
}

// Ends a failed capture and discards it.
void shim_capture_abandon(Capturer *capturer) noexcept {
  pt2::attempted([&] {
    const auto &cuda = runtime();
    cudaGraph_t graph = nullptr;
    if (cuda.cudaStreamEndCapture(capturer->stream(), &graph) == cudaSuccess) {
      cuda.cudaGraphDestroy(graph);
    }
    cuda.cudaGetLastError();
  });
}

// Queues the captured kernels on the thread's current stream of the device.
ShimError *shim_cuda_graph_launch(const CudaGraph *cuda_graph) noexcept {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    pt2::check_cuda(cuda.cudaGraphLaunch(cuda_graph->executable, current_stream(cuda_graph->device)));
  });
}

// The kernels must not be running any more.
void shim_cuda_graph_free(CudaGraph *cuda_graph) noexcept {
  pt2::attempted([&] {
    const std::unique_ptr<CudaGraph> freed(cuda_graph);
    const auto &cuda = runtime();
    cuda.cudaGraphExecDestroy(cuda_graph->executable);
    auto index = static_cast<c10::DeviceIndex>(cuda_graph->device);
    cuda.allocator->load()->releasePool(index, cuda_graph->pool);
  });
}

// Sets `*out` to true if the thread's current stream of the device is being captured.
ShimError *shim_stream_is_capturing(int32_t device, bool *out) noexcept {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    auto status = cudaStreamCaptureStatusNone;
    pt2::check_cuda(cuda.cudaStreamIsCapturing(current_stream(device), &status));
    *out = status != cudaStreamCaptureStatusNone;
  });
}
}

#else

// A libtorch without CUDA has nothing to capture.
namespace pt2 {
struct Capturer {};
struct CudaGraph {};
}  // namespace pt2

using pt2::Capturer;
using pt2::CudaGraph;

static void without_cuda() { TORCH_CHECK(false, "libpt2 was built against a libtorch without CUDA"); }

extern "C" {
ShimError *shim_capturer_new(int32_t, Capturer **) noexcept { return pt2::caught(without_cuda); }
// noexcept: does nothing.
void shim_capturer_free(Capturer *) noexcept {}
// noexcept: a constant.
void *shim_capturer_stream(const Capturer *) noexcept { return nullptr; }
ShimError *shim_capturer_open(Capturer *) noexcept { return pt2::caught(without_cuda); }
ShimError *shim_capturer_close(Capturer *, bool) noexcept { return pt2::caught(without_cuda); }
ShimError *shim_capture_begin(Capturer *) noexcept { return pt2::caught(without_cuda); }
ShimError *shim_capture_end(Capturer *, CudaGraph **) noexcept { return pt2::caught(without_cuda); }
// noexcept: does nothing.
void shim_capture_abandon(Capturer *) noexcept {}
ShimError *shim_cuda_graph_launch(const CudaGraph *) noexcept { return pt2::caught(without_cuda); }
// noexcept: does nothing.
void shim_cuda_graph_free(CudaGraph *) noexcept {}
ShimError *shim_stream_is_capturing(int32_t, bool *) noexcept { return pt2::caught(without_cuda); }
}

#endif
