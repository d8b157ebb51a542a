#include "autotune.h"

#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "../shim.h"

namespace pt2::cudnn {

namespace {

// Holds back work queued behind it until it is opened. A short kernel takes less time than queueing
// it, so without the gate the host would be measured.
class StreamGate {
 public:
  explicit StreamGate(void *stream) {
    using Launch = int(void *, void (*)(void *), void *);
    static auto *const launch = reinterpret_cast<Launch *>(cuda_symbol("cudaLaunchHostFunc"));
    TORCH_CHECK(launch(
                    stream, [](void *gate) { static_cast<StreamGate *>(gate)->wait(); }, this) == 0,
                "CUDA takes no host function");
  }

  void open() {
    std::lock_guard<std::mutex> lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }

 private:
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    // A thread that frees device memory waits for this stream and may hold a lock that queueing
    // needs.
    changed_.wait_for(lock, std::chrono::milliseconds(50), [&] { return is_open_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

// Opens the gate at the end of the scope and waits until the stream has passed it.
class Opened {
 public:
  Opened(StreamGate &gate, c10::Stream stream) : gate_(gate), stream_(stream) {}
  ~Opened() {
    gate_.open();
    try {
      stream_.synchronize();
    } catch (...) {
      // The next call reports a lost device.
    }
  }

 private:
  StreamGate &gate_;
  c10::Stream stream_;
};

constexpr int kRounds = 2, kExecutions = 8;
constexpr int64_t kMostWorkspace = 256 << 20;

double one_round(HandleLock &turn, const ExecutionPlan &plan, const Tensors &tensors,
                 const at::Tensor &memory, c10::Stream stream) {
  c10::Event begin(c10::kCUDA, c10::EventFlag::BACKEND_DEFAULT),
      end(c10::kCUDA, c10::EventFlag::BACKEND_DEFAULT);
  {
    StreamGate gate(turn->stream());
    Opened opened(gate, stream);
    begin.record(stream);
    for (int i = 0; i < kExecutions; ++i) execute(turn, plan, tensors, memory);
    end.record(stream);
  }
  return begin.elapsedTime(end) * 1e3 / kExecutions;
}

// Returns the duration of one execution in microseconds.
double duration(HandleLock &turn, const ExecutionPlan &plan, const Tensors &tensors) {
  auto device = tensors.output.device();
  auto stream = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  auto memory = workspace(plan, tensors);
  // The first execution loads the kernel.
  execute(turn, plan, tensors, memory);
  double best = one_round(turn, plan, tensors, memory, stream);
  for (int round = 1; round < kRounds; ++round) {
    best = std::min(best, one_round(turn, plan, tensors, memory, stream));
  }
  return best;
}

}  // namespace

std::optional<std::pair<EngineConfig, ExecutionPlan>> autotune(HandleLock &turn, const Descriptor &graph,
                                                               const std::vector<EngineConfig> &configs,
                                                               const Tensors &tensors) {
  std::optional<std::pair<EngineConfig, ExecutionPlan>> best;
  double least = 0;
  for (const auto &config : configs) {
    auto plan = build_plan(turn->handle(), graph, config);
    if (!plan || plan->workspace > kMostWorkspace) {
      continue;
    }
    double took = duration(turn, *plan, tensors);
    if (!best || took < least) {
      least = took;
      best.emplace(config, std::move(*plan));
    }
  }
  return best;
}

}  // namespace pt2::cudnn
