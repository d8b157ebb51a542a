#include "python.h"

namespace pt2::python {

Blocks blocks_of(at::IntArrayRef block, at::IntArrayRef sizes) {
  TORCH_CHECK(block.size() == sizes.size(), "a block of ", block.size(), " dimensions for a tensor of ",
              sizes.size());
  Blocks blocks;
  for (size_t i = 0; i < block.size(); ++i) {
    auto next = static_cast<int64_t>(blocks.sizes.size());
    if (block[i] != sizes[i] && block[i] > 1) {
      TORCH_CHECK(sizes[i] % block[i] == 0, "size ", sizes[i], " at dimension ", i, " is no multiple of ",
                  block[i]);
      blocks.sizes.insert(blocks.sizes.end(), {sizes[i] / block[i], block[i]});
      blocks.inside.push_back(next + 1);
    } else {
      blocks.sizes.push_back(sizes[i]);
      if (block[i] != 1) blocks.inside.push_back(next);
    }
  }
  blocks.reduced = blocks.sizes;
  for (auto dim : blocks.inside) blocks.reduced[static_cast<size_t>(dim)] = 1;
  return blocks;
}

std::vector<int64_t> block_counts(at::IntArrayRef block, at::IntArrayRef sizes) {
  std::vector<int64_t> counts;
  for (size_t i = 0; i < block.size(); ++i) {
    TORCH_CHECK(block[i] > 0, "a block of size ", block[i]);
    counts.push_back(sizes[i] / block[i]);
  }
  return counts;
}

}  // namespace pt2::python
