// Operators that libtorch lacks. The second takes argument types of no libtorch operator: lists of
// lists and of strings.
#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

namespace {
at::Tensor twice(const at::Tensor &x) { return x.mul(2); }

/// Returns a sum with a distinct term for each argument.
at::Tensor gather(const c10::List<c10::List<at::Tensor>> &tensors, const c10::List<int64_t> &sizes,
                  const c10::List<std::string> &names, const c10::List<bool> &flags,
                  const c10::List<std::optional<at::Tensor>> &maybe) {
  auto sum = at::zeros({3});
  double weight = 1;
  for (const c10::List<at::Tensor> &list : tensors) {
    for (const at::Tensor &tensor : list) sum.add_(tensor, weight *= 2);
  }
  for (const int64_t size : sizes) sum.add_(static_cast<double>(size), weight *= 2);
  for (const std::string &name : names) sum.add_(static_cast<double>(name.size()), weight *= 2);
  for (const bool flag : flags) sum.add_(flag ? 1 : 0, weight *= 2);
  for (const std::optional<at::Tensor> &tensor : maybe) {
    weight *= 2;
    if (tensor) sum.add_(*tensor, weight);
  }
  return sum;
}
}  // namespace

TORCH_LIBRARY(pt2test, library) {
  library.def("twice(Tensor x) -> Tensor", twice);
  library.def(
      "gather(Tensor[][] tensors, int[] sizes, str[] names, bool[] flags, Tensor?[] maybe) "
      "-> Tensor",
      gather);
}
