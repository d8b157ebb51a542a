#include "hop_helpers.h"

#include <ATen/ATen.h>
#include <ATen/native/TypeProperties.h>

#include "portable/portable.h"

using at::ScalarType;
using at::Tensor;
using at::TensorList;

namespace {

// See clone_preserve_strides of torch/_prims_common/__init__.py, 2.11. Copies all memory up to the
// last element, so that views by sizes and strides are in bounds.
Tensor clone_memory(const Tensor &tensor) {
  int64_t needed = tensor.numel() == 0 ? 0 : 1 + tensor.storage_offset();
  for (int64_t dimension = 0; needed > 0 && dimension < tensor.dim(); ++dimension) {
    needed += (tensor.size(dimension) - 1) * tensor.stride(dimension);
  }
  auto memory = tensor.as_strided({needed}, {1}, 0).clone();
  return memory.as_strided(tensor.sizes(), tensor.strides(), tensor.storage_offset());
}

// See out_dtype_fallback of torch/_higher_order_ops/out_dtype.py, 2.11. Converts every operand to
// the common dtype of all operands and the result.
Tensor promote(const Tensor &tensor, TensorList operands, ScalarType out_dtype) {
  at::native::ResultTypeState state{};
  for (const auto &operand : operands) state = at::native::update_result_type_state(operand, state);
  auto result = at::ones({1}, at::TensorOptions().dtype(out_dtype));
  return tensor.to(at::native::result_type(at::native::update_result_type_state(result, state)));
}

// See `is_int_mm` there: the result of int8 matrices on a GPU.
Tensor matmul_int32(const Tensor &self, const Tensor &mat2) {
  auto narrow = self.scalar_type() == at::kChar && mat2.scalar_type() == at::kChar;
  if (narrow && self.is_cuda() && mat2.is_cuda()) {
    return pt2::portable::int_mm(self, mat2);
  }
  auto left = promote(self, {self, mat2}, at::kInt), right = promote(mat2, {self, mat2}, at::kInt);
  return at::mm(left, right).to(at::kInt);
}

}  // namespace

pt2::Family pt2::direct() {
  return {
      {"pt2::clone_memory(Tensor self) -> Tensor", boxed<clone_memory>},
      {"pt2::promote(Tensor self, Tensor[] operands, ScalarType dtype) -> Tensor", boxed<promote>},
      {"pt2::matmul_int32(Tensor self, Tensor mat2) -> Tensor", boxed<matmul_int32>},
  };
}
