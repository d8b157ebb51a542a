// Scaled dot-product attention as two products and a softmax, for forward and backward operators.
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace pt2::portable {

// Keys that a query attends to. Causal masks differ if there are more or fewer keys than queries.
enum class Causal { No, FromTopLeft, FromBottomRight };

// Inputs of the attention weights. Tensors are [batch, heads, length, size].
struct Scores {
  at::Tensor query;
  at::Tensor key;
  std::optional<at::Tensor> bias;
  Causal causal = Causal::No;
  std::optional<double> scale;

  // Returns the scale of the products.
  double factor() const;
  // Returns the products of queries and keys, scaled, biased and masked, in at least float32.
  at::Tensor logits() const;
};

// Converts to float32; float64 is unchanged.
at::Tensor widened(const at::Tensor &tensor);

// Repeats the heads of keys or values that several heads of queries share.
at::Tensor spread(const at::Tensor &shared, const at::Tensor &query);

// Sums the gradients of heads that `spread` repeated.
at::Tensor gathered(const at::Tensor &gradient, const at::Tensor &shared);

// Returns the attention weights: zeros if every key is masked.
at::Tensor weights(const at::Tensor &logits);

// Returns a dropout mask: ones and zeros divided by the kept share.
at::Tensor kept(const at::Tensor &weights, double dropout);

}  // namespace pt2::portable
