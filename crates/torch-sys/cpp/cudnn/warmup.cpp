#include <ATen/ops/empty.h>

#include "../shim.h"
#include "convolution.h"

using namespace pt2::cudnn;

using pt2::WarmupConv;

extern "C" {

// Runs a convolution on uninitialised memory, which loads its library and kernels before a model
// runs it. Inside a Scope of the device.
pt2::ShimError *shim_cudnn_warm_up(int32_t device, const WarmupConv *given) noexcept {
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
