// Checks of indices and offsets into other tensors.
#include <algorithm>

#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

// Throws unless the offsets ascend and are within the indices.
void check_offsets(const at::Tensor &offsets, int64_t end) {
  pt2::checks::within(offsets, 0, end + 1, "`offsets`");
  if (offsets.numel() < 2 || !offsets.is_cpu()) return;
  auto steps = offsets.slice(0, 1).sub(offsets.slice(0, 0, -1));
  TORCH_CHECK(steps.ge(0).all().item().toBool(), "`offsets` fall");
}

// weight, indices, offsets, scale gradient, mode, sparse, weights of samples, last offset. CUDA's
// kernels check indices themselves; reading them here would wait for the device.
void embedding_bag(const Arguments &given) {
  const auto &weight = given.tensor(0), &indices = given.tensor(1), &offsets = given.tensor(2);
  auto mode = given.integer(4);
  TORCH_CHECK(0 <= mode && mode <= 2, "no mode ", mode);
  TORCH_CHECK(weight.dim() == 2 && indices.dim() == 1 && offsets.dim() == 1,
              "takes a matrix and two vectors, not ", weight.dim(), ", ", indices.dim(), " and ",
              offsets.dim(), " dimensions");
  if (given.has(6)) pt2::checks::has_elements(given.tensor(6), indices.numel(), "`per_sample_weights`");
  pt2::checks::within(indices, 0, weight.size(0), "`indices`");
  check_offsets(offsets, indices.numel());
}

// gradient, indices, rows
void embedding_backward(const Arguments &given) {
  const auto &gradient = given.tensor(0), &indices = given.tensor(1);
  TORCH_CHECK(gradient.dim() == indices.dim() + 1 &&
                  gradient.sizes().slice(0, indices.sizes().size()) == indices.sizes(),
              "a gradient of sizes ", gradient.sizes(), " for indices of ", indices.sizes());
  pt2::checks::within(indices, 0, given.integer(2), "`indices`");
}

// gradient, scores, targets, weights of classes, reduction, ignored class, sum of weights
void nll_loss_backward(const Arguments &given) {
  const auto &gradient = given.tensor(0), &scores = given.tensor(1), &targets = given.tensor(2);
  TORCH_CHECK(scores.dim() >= 1, "the scores have no dimensions");
  auto at = scores.dim() == 1 ? 0 : 1;
  auto classes = scores.size(at);
  auto each = scores.sizes().vec();
  each.erase(each.begin() + at);
  pt2::checks::has_elements(targets, c10::multiply_integers(each), "`target`");
  bool all = given.integer(4) == 0;
  pt2::checks::has_elements(gradient, all ? targets.numel() : 1, "the gradient");
  TORCH_CHECK(!all || gradient.dim() == targets.dim(), "the gradient has ", gradient.dim(), " dimensions");
  if (given.has(3)) pt2::checks::has_elements(given.tensor(3), classes, "`weight`");
  pt2::checks::has_elements(given.tensor(6), 1, "`total_weight`");
  pt2::checks::within(targets.masked_select(targets.ne(given.integer(5))), 0, classes, "`target`");
}

// data, reduction, lengths, indices, offsets, axis, unsafe
void segment_reduce(const Arguments &given) {
  TORCH_CHECK(!given.flag(6), "`unsafe` leaves the lengths unchecked");
  const auto &data = given.tensor(0);
  auto axis = given.integer(5);
  TORCH_CHECK(0 <= axis && axis < data.dim(), "no axis ", axis, " in ", data.dim());
  if (given.has(4)) {
    TORCH_CHECK(given.tensor(4).dim() == 1, "offsets of ", given.tensor(4).dim(), " dimensions");
    check_offsets(given.tensor(4), data.size(axis));
  }
}

// LU, pivots
void lu_unpack(const Arguments &given) {
  const auto &factors = given.tensor(0), &pivots = given.tensor(1);
  TORCH_CHECK(factors.dim() >= 2, "the factors have ", factors.dim(), " dimensions");
  auto rows = factors.size(-2);
  auto expected = factors.sizes().slice(0, factors.sizes().size() - 2).vec();
  expected.push_back(std::min(rows, factors.size(-1)));
  TORCH_CHECK(pivots.sizes() == at::IntArrayRef(expected), "pivots of sizes ", pivots.sizes(), " where ",
              expected, " are expected");
  pt2::checks::within(pivots, 1, rows + 1, "`LU_pivots`");
}

}  // namespace

pt2::checks::Table pt2::checks::indices() {
  return {
      {"aten::embedding_bag", embedding_bag},
      {"aten::_embedding_bag", embedding_bag},
      {"aten::_embedding_bag_forward_only", embedding_bag},
      {"aten::embedding_dense_backward", embedding_backward},
      {"aten::nll_loss_backward", nll_loss_backward},
      {"aten::nll_loss2d_backward", nll_loss_backward},
      {"aten::segment_reduce", segment_reduce},
      {"aten::lu_unpack", lu_unpack},
  };
}
