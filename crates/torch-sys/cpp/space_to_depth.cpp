#include "space_to_depth.h"

#include <ATen/ATen.h>

#include <limits>

using at::IntArrayRef;
using at::Tensor;

namespace {

void check(const Tensor &self, IntArrayRef block, IntArrayRef before, IntArrayRef after, int64_t channels) {
  TORCH_CHECK(self.dim() == 4, "images have four dimensions, not ", self.dim());
  TORCH_CHECK(block.size() == 2 && before.size() == 2 && after.size() == 2,
              "one number for height and width");
  // Sums and products of two such numbers fit 64 bits.
  const int64_t most = std::numeric_limits<int32_t>::max();
  const auto is_small = [&](int64_t number) { return number >= 0 && number <= most; };
  TORCH_CHECK(is_small(channels) && is_small(self.size(1)), channels, " channels for ", self.size(1));
  for (size_t i = 0; i < 2; ++i) {
    TORCH_CHECK(block[i] > 0 && is_small(block[i]) && is_small(before[i]) && is_small(after[i]) &&
                    is_small(self.size(static_cast<int64_t>(i) + 2)),
                "blocks of ", block, " around ", before, " and ", after);
    int64_t size = self.size(static_cast<int64_t>(i) + 2) + before[i] + after[i];
    TORCH_CHECK(size % block[i] == 0, "blocks of ", block, " do not divide ", size, " pixels");
  }
  TORCH_CHECK(block[0] * block[1] <= most && channels >= self.size(1) * block[0] * block[1], channels,
              " channels do not hold blocks of ", block, " pixels of ", self.size(1));
}

bool is_whole(const Tensor &self, IntArrayRef block, IntArrayRef before) {
  return before[0] % block[0] == 0 && before[1] % block[1] == 0 && self.size(2) % block[0] == 0 &&
         self.size(3) % block[1] == 0;
}

// Pads an image with zeros.
Tensor padded(const Tensor &self, IntArrayRef before, IntArrayRef after) {
  auto result = at::zeros(
      {self.size(0), self.size(1), before[0] + self.size(2) + after[0], before[1] + self.size(3) + after[1]},
      self.options());
  result.narrow(2, before[0], self.size(2)).narrow(3, before[1], self.size(3)).copy_(self);
  return result;
}

// Pads an image and makes each block of its pixels one pixel, in channels-last format. Its channels
// are those of the block's pixels, row by row, and then zeros.
Tensor space_to_depth(const Tensor &self, IntArrayRef block, IntArrayRef before, IntArrayRef after,
                      int64_t channels) {
  check(self, block, before, after, channels);
  const std::vector<int64_t> none{0, 0};
  if (!is_whole(self, block, before)) {
    return space_to_depth(padded(self, before, after), block, none, none, channels);
  }
  const int64_t count = self.size(0), kept = self.size(1) * block[0] * block[1];
  const int64_t rows = self.size(2) / block[0], columns = self.size(3) / block[1];
  auto result = at::zeros({count, (before[0] + after[0]) / block[0] + rows,
                           (before[1] + after[1]) / block[1] + columns, channels},
                          self.options());
  auto to = result.narrow(1, before[0] / block[0], rows)
                .narrow(2, before[1] / block[1], columns)
                .narrow(3, 0, kept)
                .unflatten(3, {block[0], block[1], self.size(1)});
  auto from = self.unflatten(3, {columns, block[1]}).unflatten(2, {rows, block[0]});
  to.copy_(from.permute({0, 2, 4, 3, 5, 1}));
  return result.permute({0, 3, 1, 2});
}

}  // namespace

pt2::Family pt2::blocks() {
  return {{"pt2::space_to_depth(Tensor self, int[] block, int[] before, int[] after, int channels) -> Tensor",
           boxed<space_to_depth>}};
}
