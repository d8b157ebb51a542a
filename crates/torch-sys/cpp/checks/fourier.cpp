// Checks of Fourier transforms: dimensions exist, and the output is no larger than the input
// allows.
#include <algorithm>

#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

// Returns the dimensions as non-negative numbers.
std::vector<int64_t> dimensions(const Arguments &given) {
  auto rank = given.tensor(0).dim();
  auto dims = given.integers(1);
  for (auto &dim : dims) {
    TORCH_CHECK(-rank <= dim && dim < rank, "no dimension ", dim, " in ", rank);
    if (dim < 0) dim += rank;
  }
  for (size_t at = 0; at < dims.size(); ++at) {
    TORCH_CHECK(std::count(dims.begin(), dims.end(), dims[at]) == 1, "dimension ", dims[at], " comes twice");
  }
  auto normalization = given.integer(2);
  TORCH_CHECK(0 <= normalization && normalization <= 2, "no normalization ", normalization);
  return dims;
}

// input, dimensions, normalization
void transform(const Arguments &given) {
  for (auto dim : dimensions(given)) {
    TORCH_CHECK(given.tensor(0).size(dim) > 0, "dimension ", dim, " is empty");
  }
}

// input, dimensions, normalization, size of the last dimension
void to_real(const Arguments &given) {
  auto dims = dimensions(given);
  auto size = given.integer(3);
  TORCH_CHECK(size > 0, "an output of size ", size);
  TORCH_CHECK(dims.empty() || size / 2 + 1 <= given.tensor(0).size(dims.back()), "an output of size ", size,
              " takes more than the ", given.tensor(0).size(dims.back()), " elements of dimension ",
              dims.back());
}

}  // namespace

pt2::checks::Table pt2::checks::fourier() {
  return {
      {"aten::_fft_c2c", transform},
      {"aten::_fft_r2c", transform},
      {"aten::_fft_c2r", to_real},
  };
}
