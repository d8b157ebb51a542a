#include "fused_conv.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "../contiguous.h"
#include "../fused_fallback.h"

using at::IntArrayRef;
using at::Tensor;

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::optional<c10::string_view>;
using OptionalTensor = std::optional<Tensor>;

// Activation by oneDNN's name (`passes::activation`).
struct Activation {
  c10::string_view name;
  at::ArrayRef<double> scalars;
  c10::string_view algorithm;

  bool is_none() const { return name == "none"; }

  Scalars as_list() const {
    Scalars list;
    for (double scalar : scalars) list.push_back(std::optional<at::Scalar>(scalar));
    return list;
  }
};

struct Convolution {
  const Tensor &input, &weight;
  const OptionalTensor &bias;
  IntArrayRef stride, padding, dilation;
  int64_t groups;
};

at::MemoryFormat innermost_format(int64_t rank) {
  return rank == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d;
}

// Returns true if both memory formats have equal strides for these sizes. libtorch and oneDNN then
// choose different formats for the operands of a sum, and the out-of-place call fails.
bool is_ambiguous(IntArrayRef sizes) {
  return sizes.size() > 3 && (sizes[1] == 1 || c10::multiply_integers(sizes.slice(2)) == 1);
}

// Returns true if libtorch's calls return wrong or unwritten numbers (libtorch 2.11), for a spatial
// dimension of size one beside larger ones. With one output channel, libtorch passes oneDNN another
// tensor than it returns. With one input channel and unequal strides, oneDNN computes other
// positions.
bool is_lost(const Convolution &conv) {
  bool single = false, several = false;
  for (size_t dim = 0; dim < conv.stride.size(); ++dim) {
    auto at = static_cast<int64_t>(dim) + 2;
    int64_t reach = conv.dilation[dim] * (conv.weight.size(at) - 1) + 1;
    int64_t room = conv.input.size(at) + 2 * conv.padding[dim] - reach;
    bool one = room < conv.stride[dim];
    single = single || one;
    several = several || !one;
  }
  return (conv.weight.size(0) == 1 || conv.input.size(1) == 1) && single && several;
}

Tensor alone(const Convolution &conv, const Activation &activation) {
  static const auto call =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "")
          .typed<Tensor(const Tensor &, const Tensor &, const OptionalTensor &, IntArrayRef, IntArrayRef,
                        IntArrayRef, int64_t, c10::string_view, Scalars, Text)>();
  return call.call(conv.input, conv.weight, conv.bias, conv.padding, conv.stride, conv.dilation, conv.groups,
                   activation.name, activation.as_list(), activation.algorithm);
}

Text of_sum(const Activation &activation) { return activation.is_none() ? Text() : Text(activation.name); }

void over_sum(Tensor &other, const Convolution &conv, const Activation &activation) {
  static const auto call =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise_", "binary")
          .typed<Tensor &(Tensor &, const Tensor &, const Tensor &, const OptionalTensor &, IntArrayRef,
                          IntArrayRef, IntArrayRef, int64_t, c10::string_view, std::optional<at::Scalar>,
                          Text, Scalars, Text)>();
  call.call(other, conv.input, conv.weight, conv.bias, conv.padding, conv.stride, conv.dilation, conv.groups,
            "add", at::Scalar(1.0), of_sum(activation), activation.as_list(), activation.algorithm);
}

Tensor with_sum(const Convolution &conv, const Tensor &other, const Activation &activation) {
  if (is_ambiguous(other.sizes())) {
    auto result = other.clone(innermost_format(other.dim()));
    over_sum(result, conv, activation);
    return result;
  }
  static const auto call =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mkldnn::_convolution_pointwise", "binary")
          .typed<Tensor(const Tensor &, const Tensor &, const Tensor &, const OptionalTensor &, IntArrayRef,
                        IntArrayRef, IntArrayRef, int64_t, c10::string_view, std::optional<at::Scalar>, Text,
                        Scalars, Text)>();
  return call.call(conv.input, other, conv.weight, conv.bias, conv.padding, conv.stride, conv.dilation,
                   conv.groups, "add", at::Scalar(1.0), of_sum(activation), activation.as_list(),
                   activation.algorithm);
}

// Applies libtorch's operator for a name of `passes::activation`, in place.
void activate(Tensor &tensor, const Activation &activation) {
  const auto &name = activation.name;
  const auto scalar = [&](size_t index) { return at::Scalar(activation.scalars[index]); };
  if (name == "none") return;
  if (name == "relu") return void(at::relu_(tensor));
  if (name == "sigmoid") return void(at::sigmoid_(tensor));
  if (name == "tanh") return void(at::tanh_(tensor));
  if (name == "swish") return void(at::silu_(tensor));
  if (name == "hardswish") return void(at::hardswish_(tensor));
  if (name == "hardsigmoid") return void(at::hardsigmoid_(tensor));
  if (name == "hardtanh") return void(at::hardtanh_(tensor, scalar(0), scalar(1)));
  if (name == "leaky_relu") return void(at::leaky_relu_(tensor, scalar(0)));
  if (name == "gelu") return void(at::gelu_(tensor, activation.algorithm));
  TORCH_CHECK(false, "no activation `", name, "`");
}

// Not in place: broadcasting may make the sum larger than the convolution.
Tensor composed(const Convolution &conv, const OptionalTensor &other, const Activation &activation) {
  auto weight = conv.weight.is_mkldnn() ? conv.weight.to_dense() : conv.weight;
  auto spatial = static_cast<size_t>(weight.dim() - 2);
  auto result =
      at::convolution(pt2::row_major(conv.input), pt2::row_major(weight), conv.bias, conv.stride,
                      conv.padding, conv.dilation, false, std::vector<int64_t>(spatial, 0), conv.groups);
  if (other) {
    result = at::add(result, *other);
  }
  activate(result, activation);
  return result.contiguous(innermost_format(weight.dim()));
}

Tensor onednn_convolution(const Tensor &input, const Tensor &weight, const OptionalTensor &bias,
                          const OptionalTensor &other, IntArrayRef stride, IntArrayRef padding,
                          IntArrayRef dilation, int64_t groups, c10::string_view name,
                          at::ArrayRef<double> scalars, c10::string_view algorithm) {
  const Convolution conv{input, weight, bias, stride, padding, dilation, groups};
  const Activation activation{name, scalars, algorithm};
  const auto fused = [&] {
    if (is_lost(conv)) return Tensor();
    return other ? with_sum(conv, *other, activation) : alone(conv, activation);
  };
  return pt2::fused_or(fused, [&] { return composed(conv, other, activation); });
}

// oneDNN creates and checks its primitive and allocates all memory before it writes to `other`.
Tensor onednn_convolution_(const Tensor &other, const Tensor &input, const Tensor &weight,
                           const OptionalTensor &bias, IntArrayRef stride, IntArrayRef padding,
                           IntArrayRef dilation, int64_t groups, c10::string_view name,
                           at::ArrayRef<double> scalars, c10::string_view algorithm) {
  const Convolution conv{input, weight, bias, stride, padding, dilation, groups};
  const Activation activation{name, scalars, algorithm};
  auto result = other;
  const auto fused = [&] {
    if (is_lost(conv)) return Tensor();
    over_sum(result, conv, activation);
    return result;
  };
  return pt2::fused_or(fused, [&] { return result.copy_(composed(conv, other, activation)); });
}

}  // namespace

pt2::Family pt2::onednn_convolutions() {
  return {
      {"pt2::onednn_convolution(Tensor input, Tensor weight, Tensor? bias, Tensor? other, int[] stride, "
       "int[] padding, int[] dilation, int groups, str activation, float[] scalars, str algorithm) -> Tensor",
       boxed<onednn_convolution>},
      {"pt2::onednn_convolution_(Tensor(a!) other, Tensor input, Tensor weight, Tensor? bias, int[] stride, "
       "int[] padding, int[] dilation, int groups, str activation, float[] scalars, str algorithm) "
       "-> Tensor(a!)",
       boxed<onednn_convolution_>},
  };
}
