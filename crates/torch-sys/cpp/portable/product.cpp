#include <ATen/ATen.h>

#include "portable.h"

using at::Scalar;
using at::ScalarType;
using at::Tensor;

namespace {
namespace product_ops {

// Products of float16 and bfloat16 with float32 sums: operands are exact, as on CUDA.
Tensor mm(const Tensor &self, const Tensor &mat2, ScalarType type) {
  return at::mm(self.to(type), mat2.to(type));
}

Tensor bmm(const Tensor &self, const Tensor &mat2, ScalarType type) {
  return at::bmm(self.to(type), mat2.to(type));
}

Tensor addmm(const Tensor &self, const Tensor &mat1, const Tensor &mat2, ScalarType type, const Scalar &beta,
             const Scalar &alpha) {
  return at::addmm(self.to(type), mat1.to(type), mat2.to(type), beta, alpha);
}

Tensor baddbmm(const Tensor &self, const Tensor &batch1, const Tensor &batch2, ScalarType type,
               const Scalar &beta, const Scalar &alpha) {
  return at::baddbmm(self.to(type), batch1.to(type), batch2.to(type), beta, alpha);
}

int64_t multiple_of_8(int64_t size) { return (size + 7) / 8 * 8; }

Tensor add_relu(const Tensor &self, const Tensor &other, const Scalar &alpha) {
  return at::add(self, other, alpha).relu_();
}

Tensor masked_scale(const Tensor &self, const Tensor &mask, double scale) {
  return self * mask.to(self.scalar_type()) * scale;
}

}  // namespace product_ops
}  // namespace

// cuBLAS needs more than 16 rows and multiples of 8 in the other sizes (`_int_mm_out_cuda` in
// aten/src/ATen/native/cuda/Blas.cpp, 2.11). Padding with zeros does not change integer sums.
Tensor pt2::portable::int_mm(const Tensor &self, const Tensor &mat2) {
  using namespace product_ops;
  TORCH_CHECK(self.dim() == 2 && mat2.dim() == 2 && self.size(1) == mat2.size(0), "matrices of sizes ",
              self.sizes(), " and ", mat2.sizes(), " have no product");
  const auto rows = self.size(0), inner = self.size(1), columns = mat2.size(1);
  if (!self.is_cuda()) {
    return at::_int_mm(self, mat2);
  }
  if (rows == 0 || inner == 0 || columns == 0) {
    return at::zeros({rows, columns}, self.options().dtype(at::kInt));
  }
  const auto more_rows = std::max<int64_t>(rows, 17), more_inner = multiple_of_8(inner),
             more_columns = multiple_of_8(columns);
  if (more_rows == rows && more_inner == inner && more_columns == columns) {
    return at::_int_mm(self, mat2);
  }
  const auto left = at::constant_pad_nd(self, {0, more_inner - inner, 0, more_rows - rows});
  const auto right = at::constant_pad_nd(mat2, {0, more_columns - columns, 0, more_inner - inner});
  return at::_int_mm(left, right).slice(0, 0, rows).slice(1, 0, columns).contiguous();
}

pt2::Family pt2::portable::products() {
  using namespace product_ops;
  return {
      {"pt2_portable::mm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor", boxed<mm>},
      {"pt2_portable::bmm.dtype(Tensor self, Tensor mat2, ScalarType out_dtype) -> Tensor", boxed<bmm>},
      {"pt2_portable::addmm.dtype(Tensor self, Tensor mat1, Tensor mat2, ScalarType out_dtype, *, Scalar "
       "beta=1, "
       "Scalar alpha=1) -> Tensor",
       boxed<addmm>},
      {"pt2_portable::baddbmm.dtype(Tensor self, Tensor batch1, Tensor batch2, ScalarType out_dtype, *, "
       "Scalar "
       "beta=1, "
       "Scalar alpha=1) -> Tensor",
       boxed<baddbmm>},
      {"pt2_portable::_int_mm(Tensor self, Tensor mat2) -> Tensor", boxed<int_mm>},
      {"pt2_portable::_add_relu.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
       boxed<add_relu>},
      {"pt2_portable::_masked_scale(Tensor self, Tensor mask, float scale) -> Tensor", boxed<masked_scale>},
  };
}
