// Checks of attention: three non-empty tensors with equal batches and compatible heads.
#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

bool is_one_of(int64_t size, int64_t expected) { return size == 1 || size == expected; }

void check_mask(const at::Tensor &mask, const at::Tensor &query, const at::Tensor &key) {
  TORCH_CHECK(mask.dim() == 2 || mask.dim() == 4, "the mask has ", mask.dim(), " dimensions");
  bool fits = is_one_of(mask.size(-2), query.size(2)) && is_one_of(mask.size(-1), key.size(2));
  if (mask.dim() == 4) {
    fits = fits && is_one_of(mask.size(0), query.size(0)) && is_one_of(mask.size(1), query.size(1));
  }
  TORCH_CHECK(fits, "the mask of sizes ", mask.sizes(), " does not fit a query of ", query.sizes(),
              " and a key of ", key.sizes());
}

// If `grouped`, several heads of the query share a head of the key and the value.
void check_shapes(const at::Tensor &query, const at::Tensor &key, const at::Tensor &value, bool grouped) {
  for (const auto *tensor : {&query, &key, &value}) {
    TORCH_CHECK(tensor->dim() == 4, "takes tensors of 4 dimensions, not ", tensor->dim());
    TORCH_CHECK(tensor->numel() > 0, "a tensor is empty: ", tensor->sizes());
    TORCH_CHECK(tensor->scalar_type() == query.scalar_type(), "the tensors have different dtypes");
    bool heads = grouped ? query.size(1) % tensor->size(1) == 0 : tensor->size(1) == query.size(1);
    TORCH_CHECK(heads && tensor->size(0) == query.size(0) && tensor->size(3) == query.size(3),
                "the tensors have different sizes, ", tensor->sizes(), " and ", query.sizes());
  }
  TORCH_CHECK(key.size(1) == value.size(1), "key and value have ", key.size(1), " and ", value.size(1),
              " heads");
  TORCH_CHECK(key.size(2) == value.size(2), "key and value have ", key.size(2), " and ", value.size(2),
              " rows");
}

// query, key, value, dropout, causal, mask
void flash_on_cpu(const Arguments &given) {
  check_shapes(given.tensor(0), given.tensor(1), given.tensor(2), true);
  if (given.has(5)) check_mask(given.tensor(5), given.tensor(0), given.tensor(1));
}

// gradient, query, key, value, output, sums of logarithms, dropout, causal, mask
void flash_on_cpu_backward(const Arguments &given) {
  const auto &query = given.tensor(1), &sums = given.tensor(5);
  check_shapes(query, given.tensor(2), given.tensor(3), false);
  pt2::checks::same_sizes(given.tensor(0), query, "gradient and query");
  pt2::checks::same_sizes(given.tensor(4), query, "output and query");
  TORCH_CHECK(given.tensor(0).scalar_type() == query.scalar_type() &&
                  given.tensor(4).scalar_type() == query.scalar_type(),
              "the tensors have different dtypes");
  TORCH_CHECK(sums.sizes() == query.sizes().slice(0, 3), "sums of sizes ", sums.sizes(), " for a query of ",
              query.sizes());
  if (given.has(8)) check_mask(given.tensor(8), query, given.tensor(2));
}

// query, key, value. libtorch divides by the number of the others' heads and by the features.
template <size_t grouped>
void composed(const Arguments &given) {
  const auto &query = given.tensor(0);
  TORCH_CHECK(query.dim() == 0 || query.size(-1) > 0, "the tensors have no features");
  if (!given.flag(grouped)) return;
  for (size_t at = 0; at < 3; ++at) {
    const auto &tensor = given.tensor(at);
    TORCH_CHECK(tensor.dim() >= 3 && tensor.size(-3) > 0, "a tensor of sizes ", tensor.sizes(),
                " has no heads");
  }
}

}  // namespace

pt2::checks::Table pt2::checks::attention() {
  return {
      {"aten::scaled_dot_product_attention", composed<7>},
      {"aten::_fused_sdp_choice", composed<7>},
      {"aten::_scaled_dot_product_attention_math", composed<8>},
      {"aten::_scaled_dot_product_flash_attention_for_cpu", flash_on_cpu},
      {"aten::_scaled_dot_product_flash_attention_for_cpu_backward", flash_on_cpu_backward},
  };
}
