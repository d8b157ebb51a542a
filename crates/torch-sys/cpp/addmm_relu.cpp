#include "addmm_relu.h"

#include <ATen/ops/_addmm_activation.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/relu.h>

#include "fused_fallback.h"

namespace {

// libtorch's call returns the bias unchanged where the matrices have no columns.
at::Tensor addmm_relu(const at::Tensor &self, const at::Tensor &mat1, const at::Tensor &mat2) {
  const auto fused = [&] {
    bool empty = mat1.dim() == 2 && mat1.size(1) == 0;
    return empty ? at::Tensor() : at::_addmm_activation(self, mat1, mat2);
  };
  return pt2::fused_or(fused, [&] {
    auto result = at::addmm(self, mat1, mat2);
    return at::relu_(result);
  });
}

}  // namespace

pt2::Family pt2::products() {
  return {{"pt2::addmm_relu(Tensor self, Tensor mat1, Tensor mat2) -> Tensor", boxed<addmm_relu>}};
}
