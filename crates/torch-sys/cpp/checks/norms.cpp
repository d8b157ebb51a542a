// Checks of norms: vectors have an element for each channel or row.
#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

void check_channels(const at::Tensor &input, const Arguments &given, std::initializer_list<size_t> vectors) {
  TORCH_CHECK(input.dim() >= 2, "the input has ", input.dim(), " dimensions, fewer than 2");
  for (auto at : vectors) {
    if (given.has(at)) pt2::checks::has_elements(given.tensor(at), input.size(1), "a vector of channels");
  }
}

void need(const Arguments &given, size_t mean, size_t variance) {
  TORCH_CHECK(given.has(mean) && given.has(variance), "the statistics are missing");
}

// input, weight, bias, running mean, running variance, training
void batch_norm(const Arguments &given) {
  check_channels(given.tensor(0), given, {1, 2, 3, 4});
  TORCH_CHECK(given.has(3) == given.has(4), "one of the statistics is missing");
  if (!given.flag(5)) need(given, 3, 4);
}

// input, weight, bias, training
void batch_norm_without_statistics(const Arguments &given) {
  check_channels(given.tensor(0), given, {1, 2});
  TORCH_CHECK(given.flag(3), "the statistics are missing");
}

// input, weight, bias, running mean, running variance
void batch_norm_with_statistics(const Arguments &given) {
  check_channels(given.tensor(0), given, {1, 2, 3, 4});
  need(given, 3, 4);
}

// gradient, input, weight, running mean, running variance, saved mean, saved deviation, training
void batch_norm_backward(const Arguments &given) {
  pt2::checks::same_sizes(given.tensor(0), given.tensor(1), "gradient and input");
  check_channels(given.tensor(1), given, {2, 3, 4, 5, 6});
  given.flag(7) ? need(given, 5, 6) : need(given, 3, 4);
}

// gradient, input, normalized sizes, mean, deviation, weight, bias
void layer_norm_backward(const Arguments &given) {
  const auto &input = given.tensor(1);
  pt2::checks::same_sizes(given.tensor(0), input, "gradient and input");
  auto normalized = given.integers(2);
  auto outer = input.dim() - static_cast<int64_t>(normalized.size());
  TORCH_CHECK(outer >= 0 && input.sizes().slice(static_cast<size_t>(outer)) == at::IntArrayRef(normalized),
              "the input of sizes ", input.sizes(), " does not end in ", normalized);
  auto inner = c10::multiply_integers(normalized);
  auto rows = inner == 0 ? 0 : input.numel() / inner;
  for (size_t at : {3, 4}) pt2::checks::has_elements(given.tensor(at), rows, "a vector of rows");
  for (size_t at : {5, 6}) {
    if (given.has(at)) pt2::checks::has_elements(given.tensor(at), inner, "weight or bias");
  }
}

// v, g, dimension
void weight_norm(const Arguments &given) {
  const auto &weight = given.tensor(0);
  TORCH_CHECK(weight.numel() > 0, "the weight has no elements");
  auto dim = given.integer(2);
  TORCH_CHECK(-1 <= dim && dim < weight.dim(), "no dimension ", dim, " in ", weight.dim());
  if (dim >= 0) pt2::checks::has_elements(given.tensor(1), weight.size(dim), "`g`");
}

}  // namespace

pt2::checks::Table pt2::checks::norms() {
  return {
      {"aten::native_batch_norm", batch_norm},
      {"aten::_native_batch_norm_legit", batch_norm},
      {"aten::_native_batch_norm_legit_functional", batch_norm},
      {"aten::_native_batch_norm_legit.no_stats", batch_norm_without_statistics},
      {"aten::_native_batch_norm_legit.no_stats_out", batch_norm_without_statistics},
      {"aten::_native_batch_norm_legit_no_training", batch_norm_with_statistics},
      {"aten::_batch_norm_with_update", batch_norm_with_statistics},
      {"aten::_batch_norm_with_update_functional", batch_norm_with_statistics},
      {"aten::_batch_norm_no_update", batch_norm_with_statistics},
      {"aten::native_batch_norm_backward", batch_norm_backward},
      {"aten::native_layer_norm_backward", layer_norm_backward},
      {"aten::_weight_norm", weight_norm},
      {"aten::_weight_norm_interface", weight_norm},
  };
}
