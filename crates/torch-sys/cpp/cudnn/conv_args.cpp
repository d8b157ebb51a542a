#include "conv_args.h"

#include <ATen/Context.h>
#include <ATen/ops/empty.h>

#include <limits>

#include "../libtorch_versions.h"

namespace pt2::cudnn {

using at::IntArrayRef;
using at::Tensor;

namespace {

constexpr uintptr_t kAlignment = 16;

// cudnnDataType_t
std::optional<int32_t> type_of(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return 0;
    case at::kHalf:
      return 2;
    case at::kBFloat16:
      return 9;
    default:
      return std::nullopt;
  }
}

bool fits(const Tensor &tensor, const ConvArgs &call) {
  return tensor.device() == call.input.device() && tensor.scalar_type() == call.input.scalar_type() &&
         tensor.numel() > 0 && tensor.numel() <= std::numeric_limits<int32_t>::max();
}

Tensor laid(const Tensor &tensor, at::MemoryFormat format) {
  auto dense = tensor.contiguous(format);
  bool aligned = reinterpret_cast<uintptr_t>(dense.data_ptr()) % kAlignment == 0;
  return aligned ? dense : dense.clone(format);
}

// See cudnn_conv_suggest_memory_format of aten/src/ATen/native/ConvUtils.h, 2.11.
at::MemoryFormat format_of(const ConvArgs &call) {
  constexpr auto innermost = at::MemoryFormat::ChannelsLast;
  bool wanted =
      call.input.suggest_memory_format() == innermost || call.weight.suggest_memory_format() == innermost;
  return wanted ? innermost : at::MemoryFormat::Contiguous;
}

bool channels_fit(const ConvArgs &call) {
  auto filters = call.weight.size(0);
  bool bias =
      !call.bias || (fits(*call.bias, call) && call.bias->dim() == 1 && call.bias->size(0) == filters);
  return bias && call.input.size(1) == call.weight.size(1) * call.groups && filters % call.groups == 0;
}

bool output_fits(const ConvArgs &call) {
  auto sizes = output_sizes(call);
  bool other = !call.other || (fits(*call.other, call) && call.other->sizes() == IntArrayRef(sizes));
  return other && !sizes.empty() && c10::multiply_integers(sizes) <= std::numeric_limits<int32_t>::max();
}

std::array<int64_t, 2> pair(IntArrayRef values) { return {values[0], values[1]}; }

}  // namespace

// See conv_output_size of aten/src/ATen/native/ConvUtils.h, 2.11.
std::vector<int64_t> output_sizes(const ConvArgs &call) {
  auto in = call.input.sizes(), filter = call.weight.sizes();
  std::vector<int64_t> sizes{in[0], filter[0]};
  for (size_t i = 0; i < 2; ++i) {
    int64_t reach = call.dilation[i] * (filter[i + 2] - 1) + 1;
    int64_t room = in[i + 2] + 2 * call.padding[i] - reach;
    if (call.stride[i] <= 0 || call.dilation[i] <= 0 || call.padding[i] < 0 || room < 0) {
      return {};
    }
    sizes.push_back(room / call.stride[i] + 1);
  }
  return sizes;
}

bool is_supported(const ConvArgs &call) {
  bool whole = call.input.dim() == 4 && call.weight.dim() == 4 && call.stride.size() == 2 &&
               call.padding.size() == 2 && call.dilation.size() == 2 && call.groups > 0;
  return whole && call.input.is_cuda() && library() && at::globalContext().userEnabledCuDNN() &&
         type_of(call.input.scalar_type()) && fits(call.input, call) && fits(call.weight, call) &&
         channels_fit(call) && output_fits(call);
}

Tensors tensors_of(const ConvArgs &call, const std::vector<int64_t> &sizes) {
  auto format = format_of(call);
  Tensors tensors;
  tensors.input = laid(call.input, format);
  tensors.weight = laid(call.weight, format);
  tensors.output = at::empty(sizes, call.input.options().memory_format(format));
  if (call.bias) {
    tensors.bias = laid(*call.bias, at::MemoryFormat::Contiguous);
  }
  if (call.other) {
    tensors.sum = laid(*call.other, format);
  }
  return tensors;
}

ConvKey key_of(const ConvArgs &call, const Tensors &tensors) {
  const auto &settings = at::globalContext();
  auto format = format_of(call);
  return {call.input.device().index(),
          type_of(call.input.scalar_type()).value(),
          TensorDesc::dense(tensors.input.sizes(), format),
          TensorDesc::dense(tensors.weight.sizes(), format),
          TensorDesc::dense(tensors.output.sizes(), format),
          pair(call.padding),
          pair(call.stride),
          pair(call.dilation),
          tensors.bias.defined(),
          tensors.sum.defined(),
          call.relu,
          allows_tf32_convolutions(settings),
          settings.deterministicCuDNN() || settings.deterministicAlgorithms(),
          call.autotune};
}

}  // namespace pt2::cudnn
