#include <tuple>

#include "portable.h"
#include "scores.h"

using at::Tensor;
using pt2::portable::Causal;
using pt2::portable::Scores;
using OptionalTensor = std::optional<Tensor>;
using Scale = std::optional<double>;

// Outputs that only a backward operator reads: instead of the random seed, the mask of the dropout,
// as the backward operators of this folder expect.

namespace {
namespace attention_ops {

struct Attended {
  Tensor output;
  Tensor logsumexp;
  Tensor kept;
};

// Memory is [batch, length, heads, size], like the output of the fused kernels.
Tensor as_fused(const Tensor &output, at::ScalarType type) {
  return output.to(type).transpose(1, 2).contiguous().transpose(1, 2);
}

Attended attend(const Scores &scores, const Tensor &value, double dropout) {
  auto logits = scores.logits();
  auto weights = pt2::portable::weights(logits);
  auto kept = at::empty({0}, weights.options());
  if (dropout > 0) {
    kept = pt2::portable::kept(weights, dropout);
    weights = weights * kept;
  }
  auto output = at::matmul(weights, pt2::portable::spread(pt2::portable::widened(value), scores.query));
  return {as_fused(output, scores.query.scalar_type()), at::logsumexp(logits, {-1}), kept};
}

Tensor nothing(const Tensor &like) { return at::empty({0}, like.options()); }

Tensor no_lengths(const Tensor &like) { return at::empty({0}, like.options().dtype(at::kInt)); }

Tensor no_offset(const Tensor &like) { return at::zeros({}, like.options().dtype(at::kLong)); }

Causal top_left(bool causal) { return causal ? Causal::FromTopLeft : Causal::No; }

// The memory-efficient kernel pads its sums to a multiple of 32.
Tensor padded(const Tensor &logsumexp, bool wanted) {
  if (!wanted) {
    return logsumexp.slice(-1, 0, 0).contiguous();
  }
  const auto size = logsumexp.size(-1), whole = (size + 31) / 32 * 32;
  return at::constant_pad_nd(logsumexp, {0, whole - size}, INFINITY);
}

std::tuple<Tensor, Tensor> of_cpu(const Tensor &query, const Tensor &key, const Tensor &value, double dropout,
                                  bool causal, const OptionalTensor &mask, Scale scale) {
  auto found = attend({query, key, mask, top_left(causal), scale}, value, dropout);
  return {found.output, found.logsumexp};
}

using Fused = std::tuple<Tensor, Tensor, Tensor, Tensor, c10::SymInt, c10::SymInt, Tensor, Tensor, Tensor>;

Fused fused(const Scores &scores, const Tensor &value, double dropout) {
  auto found = attend(scores, value, dropout);
  const auto &query = scores.query;
  return {found.output,           found.logsumexp, no_lengths(query), no_lengths(query), query.sym_size(2),
          scores.key.sym_size(2), found.kept,      no_offset(query),  nothing(query)};
}

Fused flash(const Tensor &query, const Tensor &key, const Tensor &value, double dropout, bool causal, bool,
            Scale scale) {
  return fused({query, key, std::nullopt, top_left(causal), scale}, value, dropout);
}

Fused overrideable(const Tensor &query, const Tensor &key, const Tensor &value, const OptionalTensor &bias,
                   double dropout, bool causal, bool, Scale scale) {
  return fused({query, key, bias, top_left(causal), scale}, value, dropout);
}

Fused cudnn(const Tensor &query, const Tensor &key, const Tensor &value, const OptionalTensor &bias, bool,
            double dropout, bool causal, bool, Scale scale) {
  auto found = fused({query, key, bias, top_left(causal), scale}, value, dropout);
  std::get<1>(found) = std::get<1>(found).unsqueeze(-1);
  return found;
}

std::tuple<Tensor, Tensor, Tensor, Tensor> efficient(const Tensor &query, const Tensor &key,
                                                     const Tensor &value, const OptionalTensor &bias,
                                                     bool sums, double dropout, bool causal, Scale scale) {
  auto found = attend({query, key, bias, top_left(causal), scale}, value, dropout);
  return {found.output, padded(found.logsumexp, sums), found.kept, no_offset(query)};
}

Tensor heads_first(const Tensor &tensor) { return tensor.transpose(1, 2); }

// For one batch of sequences of equal lengths, [batch, length, heads, size].
std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> flash_forward(
    const Tensor &query, const Tensor &key, const Tensor &value, const OptionalTensor &starts_q,
    const OptionalTensor &starts_k, c10::SymInt, c10::SymInt, double dropout, bool causal, bool, Scale scale,
    std::optional<c10::SymInt> left, std::optional<c10::SymInt> right, const OptionalTensor &used,
    const OptionalTensor &slopes) {
  TORCH_CHECK(!starts_q && !starts_k && !used && !slopes && !left && !right,
              "attention over sequences of several lengths or within a window runs on CUDA only");
  const auto mask = causal ? Causal::FromBottomRight : Causal::No;
  auto found =
      attend({heads_first(query), heads_first(key), std::nullopt, mask, scale}, heads_first(value), dropout);
  return {heads_first(found.output), found.logsumexp, found.kept, no_offset(query), nothing(query)};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, c10::SymInt, c10::SymInt> efficient_forward(
    const Tensor &query, const Tensor &key, const Tensor &value, const OptionalTensor &bias,
    const OptionalTensor &starts_q, const OptionalTensor &starts_k, std::optional<c10::SymInt>,
    std::optional<c10::SymInt>, double dropout, int64_t mask, bool sums, Scale scale,
    const OptionalTensor &used, std::optional<int64_t> window) {
  TORCH_CHECK(!starts_q && !starts_k && !used && !window,
              "attention over sequences of several lengths or within a window runs on CUDA only");
  TORCH_CHECK(mask >= 0 && mask <= 2, "the mask of type ", mask, " is not known");
  auto found = attend({heads_first(query), heads_first(key), bias, static_cast<Causal>(mask), scale},
                      heads_first(value), dropout);
  return {heads_first(found.output),
          padded(found.logsumexp, sums),
          found.kept,
          no_offset(query),
          query.sym_size(1),
          key.sym_size(1)};
}

}  // namespace attention_ops
}  // namespace

pt2::Family pt2::portable::attention() {
  using namespace attention_ops;
  return {
      {"pt2_portable::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, "
       "float dropout_p=0.0, bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> "
       "(Tensor output, Tensor logsumexp)",
       boxed<of_cpu>},
      {"pt2_portable::_scaled_dot_product_flash_attention(Tensor query, Tensor key, Tensor value, float "
       "dropout_p=0.0, "
       "bool is_causal=False, bool return_debug_mask=False, *, float? scale=None) -> (Tensor output, "
       "Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, Tensor rng_state, "
       "Tensor unused, Tensor debug_attn_mask)",
       boxed<flash>},
      {"pt2_portable::_scaled_dot_product_fused_attention_overrideable(Tensor query, Tensor key, Tensor "
       "value, "
       "Tensor? attn_bias=None, float dropout_p=0.0, bool is_causal=False, bool return_debug_mask=False, *, "
       "float? scale=None) -> (Tensor output, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, "
       "SymInt max_q, SymInt max_k, Tensor philox_seed, Tensor philox_offset, Tensor debug_attn_mask)",
       boxed<overrideable>},
      {"pt2_portable::_scaled_dot_product_cudnn_attention(Tensor query, Tensor key, Tensor value, Tensor? "
       "attn_bias, "
       "bool compute_log_sumexp, float dropout_p=0.0, bool is_causal=False, bool return_debug_mask=False, *, "
       "float? scale=None) -> (Tensor output, Tensor logsumexp, Tensor cum_seq_q, Tensor cum_seq_k, "
       "SymInt max_q, SymInt max_k, Tensor philox_seed, Tensor philox_offset, Tensor debug_attn_mask)",
       boxed<cudnn>},
      {"pt2_portable::_scaled_dot_product_efficient_attention(Tensor query, Tensor key, Tensor value, "
       "Tensor? "
       "attn_bias, "
       "bool compute_log_sumexp, float dropout_p=0.0, bool is_causal=False, *, float? scale=None) -> "
       "(Tensor output, Tensor log_sumexp, Tensor philox_seed, Tensor philox_offset)",
       boxed<efficient>},
      {"pt2_portable::_flash_attention_forward(Tensor query, Tensor key, Tensor value, Tensor? cum_seq_q, "
       "Tensor? cum_seq_k, SymInt max_q, SymInt max_k, float dropout_p, bool is_causal, bool "
       "return_debug_mask, "
       "*, float? scale=None, SymInt? window_size_left=None, SymInt? window_size_right=None, "
       "Tensor? seqused_k=None, Tensor? alibi_slopes=None) -> (Tensor output, Tensor softmax_logsumexp, "
       "Tensor rng_state, Tensor unused, Tensor debug_attn_mask)",
       boxed<flash_forward>},
      {"pt2_portable::_efficient_attention_forward(Tensor query, Tensor key, Tensor value, Tensor? bias, "
       "Tensor? cu_seqlens_q, Tensor? cu_seqlens_k, SymInt? max_seqlen_q, SymInt? max_seqlen_k, float "
       "dropout_p, "
       "int custom_mask_type, bool compute_log_sumexp=False, *, float? scale=None, Tensor? seqlen_k=None, "
       "int? window_size=None) -> (Tensor output, Tensor logsumexp, Tensor philox_seed, Tensor "
       "philox_offset, "
       "SymInt max_seqlen_batch_q, SymInt max_seqlen_batch_k)",
       boxed<efficient_forward>},
  };
}
