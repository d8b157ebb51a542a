// Shared by the programs on libtorch's own runtimes: inputs, streams and values of outputs. Uses
// only libtorch's device-independent interface, so that one program serves machines with and
// without CUDA.

#ifndef BENCH_LIBTORCH_HPP
#define BENCH_LIBTORCH_HPP

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <optional>

#include "measure.hpp"

namespace bench {

/// Fills the input in this thread: a copy by libtorch would start its thread pool, which is part of
/// a first forward.
inline at::Tensor placed(const Input &input, const at::Device &device) {
  const std::vector<float> values = numbers(input.elements());
  const bool narrow = input.dtype == "bfloat16";
  const at::Tensor host = at::empty(input.sizes, narrow ? at::kBFloat16 : at::kFloat);
  if (narrow) {
    std::transform(values.begin(), values.end(), static_cast<std::uint16_t *>(host.mutable_data_ptr()),
                   narrowed);
  } else {
    std::copy(values.begin(), values.end(), host.mutable_data_ptr<float>());
  }
  return host.to(device);
}

inline void wait_for(const at::Device &device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  guard.getStream(guard.getDevice()).synchronize();
}

/// Settings of a thread, with a CUDA stream of its own if requested.
class ThreadScope {
 public:
  ThreadScope(const at::Device &device, bool own_stream) {
    if (own_stream && !device.is_cpu()) {
      const c10::impl::VirtualGuardImpl guard(device.type());
      stream_.emplace(guard.getStreamFromGlobalPool(guard.getDevice()));
    }
  }

 private:
  c10::InferenceMode inference_;
  std::optional<c10::StreamGuard> stream_;
};

inline at::Tensor output_of(const std::vector<at::Tensor> &outputs) { return outputs.at(0); }
inline at::Tensor output_of(const c10::IValue &output) { return output.toTensor(); }

/// Calls of one thread. The runtime takes inputs as `Value`s.
template <class Model, class Value>
class Lane {
 public:
  Lane(Model &model, const std::vector<Value> &inputs, const at::Device &device, bool own_stream)
      : scope_(device, own_stream), model_(model), inputs_(inputs) {}

  /// Waits for the output.
  at::Tensor forward() { return output_of(model_.run(inputs_)).cpu(); }

  static Seen seen(const at::Tensor &output) {
    const at::Tensor rows = output.contiguous();
    const auto count = static_cast<std::size_t>(rows.numel());
    return bench::seen(rows.const_data_ptr(), count, rows.scalar_type() == at::kFloat);
  }

 private:
  ThreadScope scope_;
  Model &model_;
  std::vector<Value> inputs_;
};

/// Device and inputs, prepared before a runtime is loaded.
template <class Value>
class Prepared {
 public:
  explicit Prepared(const Arguments &arguments) : arguments_(arguments), device_(at::kCPU) {
    if (arguments.cuda()) load_cuda_half();
    device_ = at::Device(arguments.device);
  }

  void place() {
    for (const Input &input : arguments_.inputs) inputs_.emplace_back(placed(input, device_));
    wait_for(device_);
  }

 protected:
  Arguments arguments_;
  at::Device device_;
  std::vector<Value> inputs_;
};

}  // namespace bench

#endif
