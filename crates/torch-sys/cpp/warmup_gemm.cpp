// Calls of libtorch's operators inside a SideStream, whose results do not matter.

#include <ATen/ops/_addmm_activation.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>

#include "shim.h"

using pt2::GemmKind;
using pt2::ShimError;

extern "C" {

ShimError *shim_warm_up_gemm(GemmKind kind, const at::Tensor *left, const at::Tensor *right, bool transposed,
                             const at::Tensor *bias) noexcept {
  return pt2::caught([&] {
    auto matrix = transposed ? right->transpose(0, 1) : *right;
    switch (kind) {
      case GemmKind::Linear:
        at::linear(*left, matrix, bias ? std::optional(*bias) : std::nullopt);
        break;
      case GemmKind::Addmm:
        at::addmm(*bias, *left, matrix);
        break;
      case GemmKind::Mm:
        at::mm(*left, matrix);
        break;
      case GemmKind::Rectified:
        at::_addmm_activation(*bias, *left, matrix);
        break;
    }
  });
}

ShimError *shim_warm_up_convolution(const at::Tensor *input, const at::Tensor *weight) noexcept {
  return pt2::caught([&] { at::conv2d(*input, *weight, {}, 1, 1); });
}
}
