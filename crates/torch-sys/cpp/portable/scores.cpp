#include "scores.h"

#include <cmath>

using at::Tensor;

Tensor pt2::portable::widened(const Tensor &tensor) {
  return tensor.scalar_type() == at::kDouble ? tensor : tensor.to(at::kFloat);
}

Tensor pt2::portable::spread(const Tensor &shared, const Tensor &query) {
  const auto heads = query.size(1), own = shared.size(1);
  if (heads == own || own == 0) {
    return shared;
  }
  TORCH_CHECK(heads % own == 0, heads, " heads of queries do not share ", own, " heads of keys");
  return shared.repeat_interleave(heads / own, 1);
}

Tensor pt2::portable::gathered(const Tensor &gradient, const Tensor &shared) {
  const auto heads = gradient.size(1), own = shared.size(1);
  return heads == own || own == 0 ? gradient : gradient.unflatten(1, {own, heads / own}).sum(2);
}

double pt2::portable::Scores::factor() const {
  return scale.value_or(1 / std::sqrt(static_cast<double>(query.size(-1))));
}

Tensor pt2::portable::Scores::logits() const {
  auto products = at::matmul(widened(query) * factor(), spread(widened(key), query).transpose(-2, -1));
  if (bias && bias->defined()) {
    products = bias->scalar_type() == at::kBool ? products.masked_fill(bias->logical_not(), -INFINITY)
                                                : products + bias->to(products.scalar_type());
  }
  if (causal == Causal::No) {
    return products;
  }
  const auto queries = products.size(-2), keys = products.size(-1);
  const auto diagonal = causal == Causal::FromTopLeft ? 0 : keys - queries;
  auto allowed = at::ones({queries, keys}, products.options().dtype(at::kBool)).tril(diagonal);
  return products.masked_fill(allowed.logical_not(), -INFINITY);
}

Tensor pt2::portable::weights(const Tensor &logits) { return at::_safe_softmax(logits, -1); }

Tensor pt2::portable::kept(const Tensor &weights, double dropout) {
  TORCH_CHECK(dropout >= 0 && dropout <= 1, "dropout probability has to be between 0 and 1, but got ",
              dropout);
  return at::empty_like(weights).bernoulli_(1 - dropout).div_(dropout < 1 ? 1 - dropout : 1);
}
