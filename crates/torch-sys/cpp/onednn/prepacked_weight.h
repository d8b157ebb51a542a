// Prepacking: weights of convolutions in oneDNN's layout, made on first use.
// `passes::onednn_prepack` writes them into the graph.
#pragma once

#include "../builtin_ops.h"

namespace pt2 {

Family convolution_weights();

// Number of times that this thread has prepacked a weight and kept it.
uint64_t prepack_count() noexcept;

}  // namespace pt2
