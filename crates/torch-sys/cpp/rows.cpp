#include <ATen/Functions.h>

#include <limits>

#include "shim.h"

using at::Tensor;
using pt2::ShimError;

namespace {

// See _interleave of torch/_higher_order_ops/associative_scan.py, 2.11, along the first dimension.
Tensor interleave(const Tensor &first, Tensor second) {
  bool longer = first.size(0) == second.size(0) + 1;
  if (longer) {
    std::vector<int64_t> pad(second.dim() * 2, 0);
    pad.back() = 1;
    second = at::constant_pad_nd(second, pad);
  }
  auto rows = at::flatten(at::stack({first, second}, 1), 0, 1);
  return longer ? rows.slice(0, 0, second.size(0) + first.size(0) - 1) : rows;
}

}  // namespace

// Tensors as rows. Callers are inside a Scope.
extern "C" {

// Every `step`-th row from `start`; the last `skipped` rows are left out.
ShimError *shim_rows_slice(const Tensor *tensor, int64_t start, int64_t skipped, int64_t step,
                           Tensor **out) noexcept {
  return pt2::caught([&] {
    const int64_t end = skipped > 0 ? -skipped : std::numeric_limits<int64_t>::max();
    *out = new Tensor(at::slice(*tensor, 0, start, end, step));
  });
}

ShimError *shim_rows_first(const Tensor *tensor, Tensor **out) noexcept {
  return pt2::caught([&] { *out = new Tensor(at::slice(*tensor, 0, 0, 1)); });
}

ShimError *shim_rows_join(const Tensor *first, const Tensor *second, Tensor **out) noexcept {
  return pt2::caught([&] { *out = new Tensor(at::cat({*first, *second}, 0)); });
}

ShimError *shim_rows_interleave(const Tensor *first, const Tensor *second, Tensor **out) noexcept {
  return pt2::caught([&] { *out = new Tensor(interleave(*first, *second)); });
}
}
