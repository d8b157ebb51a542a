#include <ATen/ATen.h>

#include "portable.h"

using at::IntArrayRef;
using at::Tensor;
using OptionalTensor = std::optional<Tensor>;

namespace {
namespace convolution_ops {

Tensor convolve(const Tensor &input, const Tensor &weight, const OptionalTensor &bias, IntArrayRef padding,
                IntArrayRef stride, IntArrayRef dilation, int64_t groups) {
  const std::vector<int64_t> none(static_cast<size_t>(weight.dim() - 2), 0);
  return at::convolution(input, weight, bias, stride, padding, dilation, /*transposed=*/false, none, groups);
}

Tensor transposed(const Tensor &input, const Tensor &weight, const OptionalTensor &bias, IntArrayRef padding,
                  IntArrayRef output_padding, IntArrayRef stride, IntArrayRef dilation, int64_t groups) {
  return at::convolution(input, weight, bias, stride, padding, dilation, /*transposed=*/true, output_padding,
                         groups);
}

Tensor cudnn(const Tensor &self, const Tensor &weight, IntArrayRef padding, IntArrayRef stride,
             IntArrayRef dilation, int64_t groups, bool, bool, bool) {
  return convolve(self, weight, std::nullopt, padding, stride, dilation, groups);
}

Tensor cudnn_transposed(const Tensor &self, const Tensor &weight, IntArrayRef padding,
                        IntArrayRef output_padding, IntArrayRef stride, IntArrayRef dilation, int64_t groups,
                        bool, bool, bool) {
  return transposed(self, weight, std::nullopt, padding, output_padding, stride, dilation, groups);
}

Tensor miopen(const Tensor &self, const Tensor &weight, const OptionalTensor &bias, IntArrayRef padding,
              IntArrayRef stride, IntArrayRef dilation, int64_t groups, bool, bool) {
  return convolve(self, weight, bias, padding, stride, dilation, groups);
}

Tensor miopen_transposed(const Tensor &self, const Tensor &weight, const OptionalTensor &bias,
                         IntArrayRef padding, IntArrayRef output_padding, IntArrayRef stride,
                         IntArrayRef dilation, int64_t groups, bool, bool) {
  return transposed(self, weight, bias, padding, output_padding, stride, dilation, groups);
}

Tensor with_relu(const Tensor &self, const Tensor &weight, const OptionalTensor &bias, IntArrayRef stride,
                 IntArrayRef padding, IntArrayRef dilation, int64_t groups) {
  return convolve(self, weight, bias, padding, stride, dilation, groups).relu_();
}

Tensor with_sum_and_relu(const Tensor &self, const Tensor &weight, const Tensor &z,
                         const std::optional<at::Scalar> &alpha, const OptionalTensor &bias,
                         IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation, int64_t groups) {
  return convolve(self, weight, bias, padding, stride, dilation, groups).add_(z, alpha.value_or(1)).relu_();
}

Tensor depthwise(const Tensor &self, const Tensor &weight, IntArrayRef, const OptionalTensor &bias,
                 IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation) {
  return convolve(self, weight, bias, padding, stride, dilation, self.size(1));
}

Tensor slow_3d(const Tensor &self, const Tensor &weight, IntArrayRef, const OptionalTensor &bias,
               IntArrayRef stride, IntArrayRef padding) {
  const std::array<int64_t, 3> ones = {1, 1, 1};
  return convolve(self, weight, bias, padding, stride, ones, self.size(-4) / weight.size(1));
}

// cuDNN samples bilinearly between the corners' centres and reads zeros outside.
Tensor sampled(const Tensor &self, const Tensor &grid) {
  return at::grid_sampler_2d(self, grid, /*interpolation_mode=*/0, /*padding_mode=*/0,
                             /*align_corners=*/true);
}

Tensor affine_grid(const Tensor &theta, int64_t n, int64_t c, int64_t h, int64_t w) {
  return at::affine_grid_generator(theta, {n, c, h, w}, /*align_corners=*/true);
}

}  // namespace convolution_ops
}  // namespace

#define PT2_FUSED "SymInt[] stride, SymInt[] padding, SymInt[] dilation, SymInt groups) -> Tensor"
#define PT2_MIOPEN \
  "SymInt[] stride, SymInt[] dilation, SymInt groups, bool benchmark, bool deterministic) -> Tensor"

pt2::Family pt2::portable::convolutions() {
  using namespace convolution_ops;
  return {
      {"pt2_portable::mkldnn_convolution(Tensor self, Tensor weight, Tensor? bias, SymInt[] padding, "
       "SymInt[] stride, "
       "SymInt[] dilation, SymInt groups) -> Tensor",
       boxed<convolve>},
      {"pt2_portable::cudnn_convolution(Tensor self, Tensor weight, SymInt[] padding, SymInt[] stride, "
       "SymInt[] "
       "dilation, "
       "SymInt groups, bool benchmark, bool deterministic, bool allow_tf32) -> Tensor",
       boxed<cudnn>},
      {"pt2_portable::cudnn_convolution_transpose(Tensor self, Tensor weight, SymInt[] padding, SymInt[] "
       "output_padding, "
       "SymInt[] stride, SymInt[] dilation, SymInt groups, bool benchmark, bool deterministic, bool "
       "allow_tf32) "
       "-> Tensor",
       boxed<cudnn_transposed>},
      {"pt2_portable::cudnn_convolution_relu(Tensor self, Tensor weight, Tensor? bias, " PT2_FUSED,
       boxed<with_relu>},
      {"pt2_portable::cudnn_convolution_add_relu(Tensor self, Tensor weight, Tensor z, Scalar? alpha, "
       "Tensor? bias, " PT2_FUSED,
       boxed<with_sum_and_relu>},
      {"pt2_portable::miopen_convolution(Tensor self, Tensor weight, Tensor? bias, SymInt[] "
       "padding, " PT2_MIOPEN,
       boxed<miopen>},
      {"pt2_portable::miopen_depthwise_convolution(Tensor self, Tensor weight, Tensor? bias, SymInt[] "
       "padding, " PT2_MIOPEN,
       boxed<miopen>},
      {"pt2_portable::miopen_convolution_transpose(Tensor self, Tensor weight, Tensor? bias, SymInt[] "
       "padding, "
       "SymInt[] output_padding, " PT2_MIOPEN,
       boxed<miopen_transposed>},
      {"pt2_portable::miopen_convolution_relu(Tensor self, Tensor weight, Tensor? bias, " PT2_FUSED,
       boxed<with_relu>},
      {"pt2_portable::miopen_convolution_add_relu(Tensor self, Tensor weight, Tensor z, Scalar? alpha, "
       "Tensor? bias, " PT2_FUSED,
       boxed<with_sum_and_relu>},
      {"pt2_portable::_conv_depthwise2d(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias, "
       "SymInt[2] "
       "stride, "
       "SymInt[2] padding, SymInt[2] dilation) -> Tensor",
       boxed<depthwise>},
      {"pt2_portable::conv_depthwise3d(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias, "
       "SymInt[3] "
       "stride, "
       "SymInt[3] padding, SymInt[3] dilation) -> Tensor",
       boxed<depthwise>},
      {"pt2_portable::slow_conv3d_forward(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias, "
       "SymInt[3] stride, SymInt[3] padding) -> Tensor",
       boxed<slow_3d>},
      {"pt2_portable::cudnn_grid_sampler(Tensor self, Tensor grid) -> Tensor", boxed<sampled>},
      {"pt2_portable::cudnn_affine_grid_generator(Tensor theta, int N, int C, int H, int W) -> Tensor",
       boxed<affine_grid>},
  };
}
