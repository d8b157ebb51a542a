// Checks of sparse tensors: libtorch compares their indices with their sizes only if a global
// setting asks for it.
#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

// indices, values, sizes
void coordinates(const Arguments &given) {
  at::_validate_sparse_coo_tensor_args(given.tensor(0), given.tensor(1), given.integers(2), false);
}

// indices, values
void coordinates_without_sizes(const Arguments &given) {
  const auto &indices = given.tensor(0);
  TORCH_CHECK(indices.dim() == 2, "indices of ", indices.dim(), " dimensions");
  if (indices.numel() > 0) pt2::checks::within(indices, 0, int64_t{1} << 31, "`indices`");
}

}  // namespace

pt2::checks::Table pt2::checks::sparse() {
  return {
      {"aten::sparse_coo_tensor.indices_size", coordinates},
      {"aten::sparse_coo_tensor.indices", coordinates_without_sizes},
  };
}
