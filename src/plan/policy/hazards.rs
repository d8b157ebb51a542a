//! Operators that no exported model uses and whose kernels do not validate their arguments.
//!
//! On the CPU with libtorch 2.11 and newer, one crafted argument makes each read or write out of bounds, or
//! divide by zero. `tests/sweep` finds them; `make sweep` runs it again. The operators of this kind
//! that exported models use have their arguments checked in every call (`crates/torch-sys/cpp/checks`).

/// Reason for rejecting operators, with their names.
pub struct Hazard {
    /// Effect of a crafted argument, as a clause of an error message.
    pub reason: &'static str,
    /// Rejected operators, in `aten` if no namespace is named.
    ///
    /// `name` covers all overloads, `name.overload` one overload. A final `*` matches any ending.
    operators: &'static [&'static str],
}

/// All hazards.
const HAZARDS: [Hazard; 10] = [
    Hazard {
        reason: "it makes a tensor share memory that its schema does not name",
        operators: &["shallow_copy_data_"],
    },
    Hazard {
        reason: "it trusts the indices that it is given",
        operators: &[
            "_convert_indices_from_coo_to_csr",
            "_convert_indices_from_csr_to_coo",
            "_ctc_loss*",
            "_cudnn_ctc_loss",
            "_embedding_bag_backward",
            "_embedding_bag_dense_backward",
            "_embedding_bag_per_sample_weights_backward",
            "_embedding_bag_sparse_backward",
            "_segment_reduce_backward",
            "adaptive_max_pool2d_backward",
            "adaptive_max_pool3d_backward",
            "ctc_loss",
            "embedding_sparse_backward",
            "fractional_max_pool2d_backward",
            "fractional_max_pool3d_backward",
            "linalg_ldl_solve",
            "max_pool3d_with_indices_backward",
            "max_unpool2d.out",
            "max_unpool3d.out",
            "multi_margin_loss_backward",
            "multilabel_margin_loss_backward",
        ],
    },
    Hazard {
        reason: "it trusts that its tensors have the sizes of each other",
        operators: &[
            "_cdist_backward",
            "_cholesky_solve_helper",
            "_compute_linear_combination",
            "_fused_adagrad*",
            "_fused_adam*",
            "_fused_moving_avg_obs_fq_helper*",
            "_fused_sgd*",
            "_logcumsumexp.out",
            "_new_zeros_with_same_feature_meta",
            "_pdist_backward",
            "_thnn_differentiable_gru_cell_backward",
            "_thnn_differentiable_lstm_cell_backward",
            "_thnn_fused_gru_cell_backward",
            "_thnn_fused_lstm_cell_backward*",
            "_transform_bias_rescale_qkv",
            "_weight_norm_differentiable_backward",
            "_weight_norm_interface_backward",
            "avg_pool3d_backward",
            "batch_norm_backward",
            "batch_norm_update_stats",
            "fused_moving_avg_obs_fake_quant",
            "grid_sampler_2d_backward",
            "grid_sampler_3d_backward",
            "mkldnn_rnn_layer_backward",
            "reflection_pad1d_backward",
            "reflection_pad2d_backward",
            "reflection_pad3d_backward",
            "replication_pad1d_backward",
            "replication_pad2d_backward",
            "replication_pad3d.out",
            "replication_pad3d_backward",
            "rrelu_with_noise.out",
            "unfold_backward",
        ],
    },
    Hazard {
        reason: "it is one of libtorch's ways to compute a convolution, which trusts what `aten::convolution` checks",
        operators: &[
            "_conv_depthwise2d*",
            "_nnpack_spatial_convolution",
            "_slow_conv2d_backward",
            "_slow_conv2d_forward",
            "conv_depthwise3d*",
            "mkldnn::_convolution_transpose_pointwise",
            "slow_conv3d*",
            "slow_conv_dilated2d*",
            "slow_conv_dilated3d*",
            "slow_conv_transpose2d*",
            "slow_conv_transpose3d*",
            "thnn_conv2d*",
        ],
    },
    Hazard {
        reason: "it makes a sparse tensor without comparing its indices with its sizes",
        operators: &[
            "_coalesced*",
            "_sparse_bsc_tensor_unsafe",
            "_sparse_bsr_tensor_unsafe",
            "_sparse_compressed_tensor_unsafe",
            "_sparse_compressed_tensor_with_dims",
            "_sparse_coo_tensor_unsafe",
            "_sparse_coo_tensor_with_dims*",
            "_sparse_csc_tensor_unsafe",
            "_sparse_csr_tensor_unsafe",
            "sparse_resize_*",
        ],
    },
    Hazard {
        reason: "it makes a nested tensor of a buffer without comparing their sizes",
        operators: &[
            "_nested_compute_contiguous_strides_offsets",
            "_nested_view_from_buffer*",
            "_nested_view_from_jagged*",
        ],
    },
    Hazard {
        reason: "it packs memory, or takes packed memory as a tensor, and trusts its sizes",
        operators: &[
            "_cudnn_rnn_backward",
            "_dyn_quant_matmul_4bit",
            "_dyn_quant_pack_4bit_weight",
            "_quantized::*",
            "_saturate_weight_to_fp16",
            "fbgemm_*",
            "miopen_rnn_backward",
            "mkl::*",
            "mkldnn::_reorder_*",
            "onednn::linear_prepack_fp16*",
            "quantized::embedding_bag_2bit_*",
            "quantized::embedding_bag_4bit_*",
            "quantized::embedding_bag_byte_*",
            "quantized::linear_dynamic_fp16_unpacked_weight",
            "quantized::linear_prepack_fp16*",
            "quantized::make_quantized_cell_params*",
            "quantized_gru_cell",
            "quantized_lstm_cell",
            "quantized_rnn_relu_cell",
            "quantized_rnn_tanh_cell",
        ],
    },
    Hazard {
        reason: "it looks at the first element of a list that may be empty, or at dimensions that do not exist",
        operators: &[
            "_add_batch_dim",
            "_foreach_copy",
            "_foreach_copy.out",
            "_remove_batch_dim",
            "_reshape_alias_copy",
            "_stack",
            "align_tensors",
            "align_to*",
        ],
    },
    Hazard {
        reason: "it takes numbers of dtypes as ints, and libtorch looks them up in a table without comparing them",
        operators: &["promote_types"],
    },
    Hazard { reason: "it divides by zero for some ranges; `aten::arange` does not", operators: &["range"] },
];

/// Returns the reason why an operator is rejected; None for all others.
pub fn reason(namespace: &str, name: &str, overload: &str) -> Option<&'static str> {
    let listed = |hazard: &&Hazard| hazard.operators.iter().any(|entry| is(entry, namespace, name, overload));
    HAZARDS.iter().find(listed).map(|hazard| hazard.reason)
}

fn is(entry: &'static str, namespace: &str, name: &str, overload: &str) -> bool {
    let within = |entry: &'static str| entry.strip_prefix(namespace)?.strip_prefix("::");
    let entry = if namespace == "aten" { Some(entry) } else { within(entry) };
    let Some(entry) = entry else { return false };
    if let Some(beginning) = entry.strip_suffix('*') {
        return name.starts_with(beginning);
    }
    match entry.strip_prefix(name) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.') == Some(overload),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operators that libtorch has since 2.14.
    const NEWER: [&str; 1] = ["shallow_copy_data_"];

    #[test]
    fn entries_name_operators_and_stand_in_order() {
        crate::torch::start(crate::torch::CudaPolicy::Never);
        let names = crate::torch::operator_names().unwrap();
        let parts = |full: &'_ str| {
            let (namespace, rest) = full.split_once("::").unwrap();
            let (name, overload) = rest.split_once('.').unwrap();
            [namespace, name, overload].map(String::from)
        };
        let names: Vec<[String; 3]> = names.iter().map(|full| parts(full)).collect();
        for hazard in &HAZARDS {
            assert!(hazard.operators.is_sorted_by(|one, next| one < next), "{:?}", hazard.operators);
            for entry in hazard.operators {
                let found =
                    names.iter().any(|[namespace, name, overload]| is(entry, namespace, name, overload));
                assert!(found || NEWER.contains(entry), "libtorch has no operator `{entry}`");
            }
        }
    }

    #[test]
    fn an_entry_is_a_name_a_beginning_or_an_overload() {
        let refused = |namespace, name, overload| reason(namespace, name, overload).is_some();
        assert!(refused("aten", "_sparse_coo_tensor_unsafe", "default"));
        assert!(refused("aten", "fbgemm_linear_int8_weight", "default"));
        assert!(refused("aten", "max_unpool2d", "out") && !refused("aten", "max_unpool2d", "default"));
        assert!(refused("_quantized", "linear_prepack_fp16", "default"));
        assert!(!refused("mkldnn", "fbgemm_", "default") && !refused("aten", "batch_norm", "default"));
    }
}
