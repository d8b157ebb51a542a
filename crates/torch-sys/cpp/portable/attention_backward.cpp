#include <array>
#include <tuple>

#include "portable.h"
#include "scores.h"

using at::Tensor;
using pt2::portable::Causal;
using pt2::portable::Scores;
using OptionalTensor = std::optional<Tensor>;
using Scale = std::optional<double>;

namespace {
namespace attention_backward_ops {

struct Gradients {
  Tensor query;
  Tensor key;
  Tensor value;
  Tensor bias;
};

// The weights are computed again. `kept` is the dropout mask that this folder's forward operator
// returned as its seed.
Gradients gradients(const Tensor &grad_out, const Scores &scores, const Tensor &value, const Tensor &kept,
                    double dropout) {
  using namespace pt2::portable;
  const auto type = scores.query.scalar_type();
  const auto query = widened(scores.query), grad = widened(grad_out);
  const auto keys = spread(widened(scores.key), query), values = spread(widened(value), query);
  const auto weights = pt2::portable::weights(scores.logits());
  const auto used = dropout > 0 ? weights * kept : weights;
  auto grad_weights = at::matmul(grad, values.transpose(-2, -1));
  if (dropout > 0) {
    grad_weights = grad_weights * kept;
  }
  const auto inner = (grad_weights * weights).sum(-1, /*keepdim=*/true);
  const auto grad_logits = weights * (grad_weights - inner);
  const auto factor = scores.factor();
  const auto grad_key = at::matmul(grad_logits.transpose(-2, -1), query) * factor;
  return {(at::matmul(grad_logits, keys) * factor).to(type), gathered(grad_key, scores.key).to(type),
          gathered(at::matmul(used.transpose(-2, -1), grad), value).to(type), grad_logits.to(type)};
}

// The gradient of a bias has the sizes of the bias.
Tensor of_bias(const Gradients &found, const OptionalTensor &bias, bool wanted) {
  if (!wanted || !bias || !bias->defined() || bias->numel() == 0) {
    return at::empty({0}, found.query.options());
  }
  return at::sum_to(found.bias, bias->sizes()).to(bias->scalar_type());
}

OptionalTensor present(const Tensor &bias) {
  return bias.defined() && bias.dim() > 1 ? OptionalTensor(bias) : std::nullopt;
}

Causal top_left(bool causal) { return causal ? Causal::FromTopLeft : Causal::No; }

using Three = std::tuple<Tensor, Tensor, Tensor>;
using Four = std::tuple<Tensor, Tensor, Tensor, Tensor>;

Three of_cpu(const Tensor &grad, const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &,
             const Tensor &, double dropout, bool causal, const OptionalTensor &mask, Scale scale) {
  TORCH_CHECK(dropout == 0, "the CPU's attention has no dropout");
  auto found = gradients(grad, {query, key, mask, top_left(causal), scale}, value, Tensor(), 0);
  return {found.query, found.key, found.value};
}

Three flash(const Tensor &grad, const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &,
            const Tensor &, const OptionalTensor &, const OptionalTensor &, c10::SymInt, c10::SymInt,
            double dropout, bool causal, const Tensor &seed, const Tensor &, Scale scale) {
  auto found = gradients(grad, {query, key, std::nullopt, top_left(causal), scale}, value, seed, dropout);
  return {found.query, found.key, found.value};
}

Three cudnn(const Tensor &grad, const Tensor &query, const Tensor &key, const Tensor &value, const Tensor &,
            const Tensor &, const Tensor &seed, const Tensor &, const OptionalTensor &bias,
            const OptionalTensor &, const OptionalTensor &, c10::SymInt, c10::SymInt, double dropout,
            bool causal, Scale scale) {
  const auto own = bias ? present(*bias) : std::nullopt;
  auto found = gradients(grad, {query, key, own, top_left(causal), scale}, value, seed, dropout);
  return {found.query, found.key, found.value};
}

Four overrideable(const Tensor &grad, const Tensor &query, const Tensor &key, const Tensor &value,
                  const OptionalTensor &bias, std::array<bool, 4> wanted, const Tensor &, const Tensor &,
                  const OptionalTensor &, const OptionalTensor &, c10::SymInt, c10::SymInt, double dropout,
                  bool causal, const Tensor &seed, const Tensor &, Scale scale) {
  const auto own = bias ? present(*bias) : std::nullopt;
  auto found = gradients(grad, {query, key, own, top_left(causal), scale}, value, seed, dropout);
  return {found.query, found.key, found.value, of_bias(found, own, wanted[3])};
}

Four efficient(const Tensor &grad, const Tensor &query, const Tensor &key, const Tensor &value,
               const OptionalTensor &bias, const Tensor &, const Tensor &, const Tensor &seed, const Tensor &,
               double dropout, std::array<bool, 4> wanted, bool causal, Scale scale) {
  const auto own = bias ? present(*bias) : std::nullopt;
  auto found = gradients(grad, {query, key, own, top_left(causal), scale}, value, seed, dropout);
  return {found.query, found.key, found.value, of_bias(found, own, wanted[3])};
}

Tensor heads_first(const Tensor &tensor) { return tensor.transpose(1, 2); }

Three flash_backward(const Tensor &grad, const Tensor &query, const Tensor &key, const Tensor &value,
                     const Tensor &, const Tensor &, const OptionalTensor &starts_q,
                     const OptionalTensor &starts_k, c10::SymInt, c10::SymInt, double dropout, bool causal,
                     const Tensor &seed, const Tensor &, Scale scale, std::optional<c10::SymInt> left,
                     std::optional<c10::SymInt> right) {
  TORCH_CHECK(!starts_q && !starts_k && !left && !right,
              "attention over sequences of several lengths or within a window runs on CUDA only");
  const auto mask = causal ? Causal::FromBottomRight : Causal::No;
  auto found = gradients(heads_first(grad), {heads_first(query), heads_first(key), std::nullopt, mask, scale},
                         heads_first(value), seed, dropout);
  return {heads_first(found.query), heads_first(found.key), heads_first(found.value)};
}

Four efficient_backward(const Tensor &grad, const Tensor &query, const Tensor &key, const Tensor &value,
                        const OptionalTensor &bias, const Tensor &, const OptionalTensor &starts_q,
                        const OptionalTensor &starts_k, c10::SymInt, c10::SymInt, const Tensor &,
                        double dropout, const Tensor &seed, const Tensor &, int64_t mask, bool bias_wanted,
                        Scale scale, std::optional<int64_t>, std::optional<int64_t> window, bool) {
  TORCH_CHECK(!starts_q && !starts_k && !window,
              "attention over sequences of several lengths or within a window runs on CUDA only");
  TORCH_CHECK(mask >= 0 && mask <= 2, "the mask of type ", mask, " is not known");
  auto found = gradients(heads_first(grad),
                         {heads_first(query), heads_first(key), bias, static_cast<Causal>(mask), scale},
                         heads_first(value), seed, dropout);
  return {heads_first(found.query), heads_first(found.key), heads_first(found.value),
          of_bias(found, bias, bias_wanted)};
}

}  // namespace attention_backward_ops
}  // namespace

pt2::Family pt2::portable::attention_backward() {
  using namespace attention_backward_ops;
  return {
      {"pt2_portable::_scaled_dot_product_flash_attention_for_cpu_backward(Tensor grad_out, Tensor query, "
       "Tensor key, "
       "Tensor value, Tensor out, Tensor logsumexp, float dropout_p, bool is_causal, *, Tensor? "
       "attn_mask=None, "
       "float? scale=None) -> (Tensor grad_query, Tensor grad_key, Tensor grad_value)",
       boxed<of_cpu>},
      {"pt2_portable::_scaled_dot_product_flash_attention_backward(Tensor grad_out, Tensor query, Tensor "
       "key, "
       "Tensor value, Tensor out, Tensor logsumexp, Tensor? cum_seq_q, Tensor? cum_seq_k, SymInt max_q, "
       "SymInt max_k, float dropout_p, bool is_causal, Tensor philox_seed, Tensor philox_offset, *, "
       "float? scale=None) -> (Tensor grad_query, Tensor grad_key, Tensor grad_value)",
       boxed<flash>},
      {"pt2_portable::_scaled_dot_product_cudnn_attention_backward(Tensor grad_out, Tensor query, Tensor "
       "key, "
       "Tensor value, Tensor out, Tensor logsumexp, Tensor philox_seed, Tensor philox_offset, Tensor? "
       "attn_bias, "
       "Tensor? cum_seq_q, Tensor? cum_seq_k, SymInt max_q, SymInt max_k, float dropout_p, bool is_causal, "
       "*, "
       "float? scale=None) -> (Tensor, Tensor, Tensor)",
       boxed<cudnn>},
      {"pt2_portable::_scaled_dot_product_fused_attention_overrideable_backward(Tensor grad_out, Tensor "
       "query, Tensor "
       "key, "
       "Tensor value, Tensor? attn_bias, bool[4] grad_input_mask, Tensor out, Tensor logsumexp, "
       "Tensor? cum_seq_q, Tensor? cum_seq_k, SymInt max_q, SymInt max_k, float dropout_p, bool is_causal, "
       "Tensor philox_seed, Tensor philox_offset, *, float? scale=None) -> (Tensor grad_query, Tensor "
       "grad_key, "
       "Tensor grad_value, Tensor grad_attn_bias)",
       boxed<overrideable>},
      {"pt2_portable::_scaled_dot_product_efficient_attention_backward(Tensor grad_out_, Tensor query, "
       "Tensor key, "
       "Tensor value, Tensor? attn_bias, Tensor out, Tensor logsumexp, Tensor philox_seed, Tensor "
       "philox_offset, "
       "float dropout_p, bool[4] grad_input_mask, bool is_causal=False, *, float? scale=None) -> (Tensor, "
       "Tensor, "
       "Tensor, Tensor)",
       boxed<efficient>},
      {"pt2_portable::_flash_attention_backward(Tensor grad_out, Tensor query, Tensor key, Tensor value, "
       "Tensor out, "
       "Tensor logsumexp, Tensor? cum_seq_q, Tensor? cum_seq_k, SymInt max_q, SymInt max_k, float dropout_p, "
       "bool is_causal, Tensor rng_state, Tensor unused, *, float? scale=None, SymInt? "
       "window_size_left=None, "
       "SymInt? window_size_right=None) -> (Tensor, Tensor, Tensor)",
       boxed<flash_backward>},
      {"pt2_portable::_efficient_attention_backward(Tensor grad_out_, Tensor query, Tensor key, Tensor "
       "value, "
       "Tensor? bias, Tensor out, Tensor? cu_seqlens_q, Tensor? cu_seqlens_k, SymInt max_seqlen_q, "
       "SymInt max_seqlen_k, Tensor logsumexp, float dropout_p, Tensor philox_seed, Tensor philox_offset, "
       "int custom_mask_type, bool bias_requires_grad, *, float? scale=None, int? num_splits_key=None, "
       "int? window_size=None, bool shared_storage_dqdkdv=False) -> (Tensor, Tensor, Tensor, Tensor)",
       boxed<efficient_backward>},
  };
}
