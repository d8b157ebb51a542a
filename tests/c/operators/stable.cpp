// pt2test::twice on libtorch's stable ABI: one binary for every libtorch since 2.10.
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/util/Exception.h>

namespace {
using torch::stable::Tensor;

Tensor twice(const Tensor x) {
  STD_TORCH_CHECK(x.dim() == 1, "pt2test::twice takes a vector, not ", x.dim(), " dimensions");
  Tensor doubled = torch::stable::empty_like(x);
  const float *from = static_cast<const float *>(x.data_ptr());
  float *to = static_cast<float *>(doubled.data_ptr());
  for (int64_t i = 0; i < x.numel(); ++i) to[i] = from[i] * 2;
  return doubled;
}
}  // namespace

STABLE_TORCH_LIBRARY(pt2test, library) { library.def("twice(Tensor x) -> Tensor"); }

STABLE_TORCH_LIBRARY_IMPL(pt2test, CPU, library) { library.impl("twice", TORCH_BOX(&twice)); }
