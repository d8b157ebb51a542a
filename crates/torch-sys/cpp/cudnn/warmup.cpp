#include <ATen/ops/empty.h>

#include "../shim.h"
#include "convolution.h"

using namespace pt2::cudnn;

// Declared again in crates/torch-sys/src/warmup_conv.rs.
struct WarmupConv {
  int32_t dtype;  // at::ScalarType
  int64_t input[4], weight[4];
  int64_t stride[2], padding[2], dilation[2], groups;
  bool channels_last, bias, other, relu;
};

extern "C" {

// Runs such a convolution on uninitialised memory, so that libraries and kernels are loaded before
// the first call. Runs inside a Scope of the device.
pt2::ShimError *shim_cudnn_warm_up(int32_t device, const WarmupConv *given) {
  return pt2::caught([&] {
    auto options = at::TensorOptions()
                       .device(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)))
                       .dtype(static_cast<at::ScalarType>(given->dtype));
    auto format = given->channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
    auto input = at::empty(given->input, options, format), weight = at::empty(given->weight, options, format);
    std::optional<at::Tensor> bias, other;
    if (given->bias) bias = at::empty({given->weight[0]}, options);
    ConvArgs call{input,          weight,          bias,          other,       given->stride,
                  given->padding, given->dilation, given->groups, given->relu, false};
    if (given->other) other = at::empty(output_sizes(call), options, format);
    convolved(call);
  });
}
}
