// CUDA graphs: the kernels of a run, recorded once and launched as one.
//
// The runtime's functions have a C ABI and are looked up in whatever libtorch brought along; memory comes
// from a private pool of libtorch's allocator, so that what a recorded kernel points to is never given to
// anybody else.

#include <memory>

#include "shim.h"
#include "stream.h"

using pt2::ShimError;

#if __has_include(<c10/cuda/CUDACachingAllocator.h>)

#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>

namespace {

using c10::cuda::CUDACachingAllocator::CUDAAllocator;

// libtorch's CUDA library and, through it, all that it needs.
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

// Throws where something is missing, and tries again when asked again.
const Runtime &runtime() {
  static const Runtime found;
  return found;
}

cudaStream_t current_stream(int32_t device) { return static_cast<cudaStream_t>(pt2::current_stream(device)); }

}  // namespace

namespace pt2 {

// A stream and a memory pool of a model's own.
struct Recorder {
  int32_t device;
  OwnStream own{device};
  c10::MempoolId_t pool = runtime().new_pool();

  explicit Recorder(int32_t index) : device(index) {}

  cudaStream_t stream() const { return static_cast<cudaStream_t>(own.raw()); }

  CUDAAllocator &allocator() const { return *runtime().allocator->load(); }
  auto index() const { return static_cast<c10::DeviceIndex>(device); }
};

// Recorded kernels. Holds a share of the pool that their memory is in.
struct Recording {
  int32_t device;
  c10::MempoolId_t pool;
  cudaGraphExec_t executable;
};

}  // namespace pt2

using pt2::Recorder;
using pt2::Recording;

extern "C" {

ShimError *shim_recorder_new(int32_t device, Recorder **out) {
  return pt2::caught([&] { *out = new Recorder(device); });
}

// noexcept: destructors do not throw.
void shim_recorder_free(Recorder *recorder) noexcept { delete recorder; }

// noexcept: reads a field.
void *shim_recorder_stream(const Recorder *recorder) noexcept { return recorder->stream(); }

// From now on what is allocated on the recorder's stream comes from its pool.
ShimError *shim_recorder_open(Recorder *recorder) {
  return pt2::caught([&] {
    auto stream = recorder->stream();
    recorder->allocator().beginAllocateToPool(recorder->index(), recorder->pool,
                                              [stream](cudaStream_t asked) { return asked == stream; });
  });
}

// Ends that; `keep` leaves the share of the pool that opening took to a recording.
ShimError *shim_recorder_close(Recorder *recorder, bool keep) {
  return pt2::caught([&] {
    recorder->allocator().endAllocateToPool(recorder->index(), recorder->pool);
    if (!keep) {
      recorder->allocator().releasePool(recorder->index(), recorder->pool);
    }
  });
}

// What this thread queues on the recorder's stream is recorded and does not run. Other threads may do as they
// like meanwhile.
ShimError *shim_recording_begin(Recorder *recorder) {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    pt2::check_cuda(cuda.cudaStreamBeginCapture(recorder->stream(), cudaStreamCaptureModeThreadLocal));
  });
}

ShimError *shim_recording_end(Recorder *recorder, Recording **out) {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    cudaGraph_t graph = nullptr;
    pt2::check_cuda(cuda.cudaStreamEndCapture(recorder->stream(), &graph));
    cudaGraphExec_t executable = nullptr;
    // As at::cuda::CUDAGraph does (ATen/cuda/CUDAGraph.cpp, 2.11): free what the graph allocated before it is
    // launched again, and respect the priorities of the recorded nodes.
    constexpr unsigned long long flags = 1 | 8;
    auto code = cuda.cudaGraphInstantiateWithFlags(&executable, graph, flags);
    cuda.cudaGraphDestroy(graph);
    pt2::check_cuda(code);
    *out = new Recording{recorder->device, recorder->pool, executable};
  });
}

// Ends a recording that failed, and forgets it.
void shim_recording_abandon(Recorder *recorder) {
  pt2::attempted([&] {
    const auto &cuda = runtime();
    cudaGraph_t graph = nullptr;
    if (cuda.cudaStreamEndCapture(recorder->stream(), &graph) == cudaSuccess) {
      cuda.cudaGraphDestroy(graph);
    }
    cuda.cudaGetLastError();
  });
}

// Queues the recorded kernels on the thread's current stream of the device.
ShimError *shim_recording_launch(const Recording *recording) {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    pt2::check_cuda(cuda.cudaGraphLaunch(recording->executable, current_stream(recording->device)));
  });
}

// The kernels must not be running any more.
void shim_recording_free(Recording *recording) {
  pt2::attempted([&] {
    const std::unique_ptr<Recording> freed(recording);
    const auto &cuda = runtime();
    cuda.cudaGraphExecDestroy(recording->executable);
    auto index = static_cast<c10::DeviceIndex>(recording->device);
    cuda.allocator->load()->releasePool(index, recording->pool);
  });
}

// Whether somebody records what is queued on the thread's current stream of the device.
ShimError *shim_stream_is_recorded(int32_t device, bool *out) {
  return pt2::caught([&] {
    const auto &cuda = runtime();
    auto status = cudaStreamCaptureStatusNone;
    pt2::check_cuda(cuda.cudaStreamIsCapturing(current_stream(device), &status));
    *out = status != cudaStreamCaptureStatusNone;
  });
}
}

#else

// A libtorch without CUDA has nothing to record.
namespace pt2 {
struct Recorder {};
struct Recording {};
}  // namespace pt2

using pt2::Recorder;
using pt2::Recording;

static void without_cuda() { TORCH_CHECK(false, "libpt2 was built against a libtorch without CUDA"); }

extern "C" {
ShimError *shim_recorder_new(int32_t, Recorder **) { return pt2::caught(without_cuda); }
// noexcept: does nothing.
void shim_recorder_free(Recorder *) noexcept {}
// noexcept: a constant.
void *shim_recorder_stream(const Recorder *) noexcept { return nullptr; }
ShimError *shim_recorder_open(Recorder *) { return pt2::caught(without_cuda); }
ShimError *shim_recorder_close(Recorder *, bool) { return pt2::caught(without_cuda); }
ShimError *shim_recording_begin(Recorder *) { return pt2::caught(without_cuda); }
ShimError *shim_recording_end(Recorder *, Recording **) { return pt2::caught(without_cuda); }
// noexcept: does nothing.
void shim_recording_abandon(Recorder *) noexcept {}
ShimError *shim_recording_launch(const Recording *) { return pt2::caught(without_cuda); }
// noexcept: does nothing.
void shim_recording_free(Recording *) noexcept {}
ShimError *shim_stream_is_recorded(int32_t, bool *) { return pt2::caught(without_cuda); }
}

#endif
