#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <vector>

#include "../shim.h"
#include "../stream.h"
#include "convolution.h"

using namespace pt2::cudnn;

// Declared again in src/torch/rehearsal.rs.
struct Rehearsal {
  int32_t dtype;  // at::ScalarType
  int64_t input[4], weight[4];
  int64_t stride[2], padding[2], dilation[2], groups;
  bool channels_last, bias, other, relu;
};

namespace {

// Tensors in memory of the driver's pool, which has it back once the stream has done what was queued before
// they go. libtorch's allocator would keep it for this stream, which nobody uses again.
class Loans {
 public:
  explicit Loans(void *stream) : stream_(stream) {}
  Loans(const Loans &) = delete;
  Loans &operator=(const Loans &) = delete;
  ~Loans() {
    static auto *const give_back = reinterpret_cast<GiveBack *>(pt2::cuda_symbol("cudaFreeAsync"));
    for (auto *memory : all_) {
      give_back(memory, stream_);
    }
  }

  at::Tensor tensor(at::IntArrayRef sizes, const at::TensorOptions &options) {
    auto *memory = lent(static_cast<size_t>(c10::multiply_integers(sizes)) * options.dtype().itemsize());
    auto like = at::empty(sizes, options.device(at::kMeta));
    auto plain = options.memory_format(std::nullopt);
    return at::for_blob(memory, sizes)
        .strides(like.strides())
        .options(plain)
        .target_device(plain.device())
        .make_tensor();
  }

 private:
  // Of CUDA's runtime (13.0).
  using Lend = int(void **, size_t, void *);
  using GiveBack = int(void *, void *);

  void *lent(size_t bytes) {
    static auto *const lend = reinterpret_cast<Lend *>(pt2::cuda_symbol("cudaMallocAsync"));
    void *memory = nullptr;
    all_.reserve(all_.size() + 1);
    pt2::check_cuda(lend(&memory, std::max<size_t>(bytes, 1), stream_));
    all_.push_back(memory);
    return memory;
  }

  void *stream_;
  std::vector<void *> all_;
};

void rehearse(const Rehearsal &given, const at::TensorOptions &options, Loans &loans) {
  auto formatted = options.memory_format(given.channels_last ? at::MemoryFormat::ChannelsLast
                                                             : at::MemoryFormat::Contiguous);
  auto input = loans.tensor(given.input, formatted), weight = loans.tensor(given.weight, formatted);
  std::optional<at::Tensor> bias, other;
  if (given.bias) bias = loans.tensor({given.weight[0]}, options);
  Call call{input,         weight,         bias,         other,      given.stride,
            given.padding, given.dilation, given.groups, given.relu, false};
  if (given.other) other = loans.tensor(output_sizes(call), formatted);
  auto memory = [&](const Plan &plan) { return loans.tensor({plan.workspace}, options.dtype(at::kByte)); };
  if (!is_for_plans(call) ||
      !run(call, tensors_of(call, loans.tensor(output_sizes(call), formatted)), memory)) {
    convolved(call);
  }
}

}  // namespace

extern "C" {

// Runs such a convolution on memory that nobody has written, so that libraries and kernels are there when it
// is run in earnest. Inside a Scope of the device.
pt2::ShimError *shim_cudnn_rehearse(int32_t device, const Rehearsal *given) {
  return pt2::caught([&] {
    auto options = at::TensorOptions()
                       .device(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)))
                       .dtype(static_cast<at::ScalarType>(given->dtype));
    Loans loans(pt2::current_stream(device));
    rehearse(*given, options, loans);
  });
}
}
