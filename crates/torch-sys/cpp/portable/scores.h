// Scaled dot-product attention as two products and a softmax, for the forward and the backward operators.
#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace pt2::portable {

// Which keys a query attends to. Causal masks differ where there are more keys than queries, or fewer.
enum class Causal { No, FromTopLeft, FromBottomRight };

// Everything that decides the weights of the keys. Tensors are [batch, heads, length, size].
struct Scores {
  at::Tensor query;
  at::Tensor key;
  std::optional<at::Tensor> bias;
  Causal causal = Causal::No;
  std::optional<double> scale;

  // The factor of the products.
  double factor() const;
  // The products of queries and keys, scaled, biased and masked, in at least float32.
  at::Tensor logits() const;
};

// float32, or float64 where the tensor holds that.
at::Tensor widened(const at::Tensor &tensor);

// Repeats the heads of keys or values that several heads of queries share.
at::Tensor spread(const at::Tensor &shared, const at::Tensor &query);

// Sums the gradients of heads that were one before `spread`.
at::Tensor gathered(const at::Tensor &gradient, const at::Tensor &shared);

// The weights of the keys: zeros where every key is masked.
at::Tensor weights(const at::Tensor &logits);

// What a dropout keeps, as ones and zeros divided by the share that it keeps.
at::Tensor kept(const at::Tensor &weights, double dropout);

}  // namespace pt2::portable
