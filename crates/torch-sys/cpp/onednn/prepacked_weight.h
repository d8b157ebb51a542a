// Weights of convolutions that are brought to oneDNN's order when they are needed. `passes::onednn_prepack`
// writes them into the graph.
#pragma once

#include "../builtin_ops.h"

namespace pt2 {

Family convolution_weights();

// How often this thread has read a weight to keep an order of it.
uint64_t prepack_count() noexcept;

}  // namespace pt2
