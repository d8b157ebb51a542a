#include <ATen/ATen.h>

#include <tuple>

#include "portable.h"

using at::IntArrayRef;
using at::Tensor;
using at::TensorList;
using OptionalTensor = std::optional<Tensor>;

namespace {
namespace recurrent_ops {

using Two = std::tuple<Tensor, Tensor>;
using Three = std::tuple<Tensor, Tensor, Tensor>;
using Four = std::tuple<Tensor, Tensor, Tensor, Tensor>;
using Five = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor>;

// Numbered as in cuDNN; MIOpen and oneDNN use the same numbers.
enum Mode : int64_t { Relu, Tanh, Lstm, Gru };

// Network of several layers, with tensors in the layout of PyTorch's modules.
struct Network {
  int64_t mode;
  int64_t layers;
  bool biases;
  bool batch_first;
  bool bidirectional;
  double dropout;
  bool train;

  Three run(const Tensor &input, TensorList weights, const Tensor &hidden, const OptionalTensor &cell) const;
  Three run_packed(const Tensor &input, IntArrayRef sizes, TensorList weights, const Tensor &hidden,
                   const OptionalTensor &cell) const;
};

Three without_cell(Two &&found) {
  auto none = at::empty({0}, std::get<0>(found).options());
  return {std::get<0>(found), std::get<1>(found), none};
}

Tensor cell_of(const OptionalTensor &cell) {
  TORCH_CHECK(cell && cell->defined(), "an LSTM without a cell state");
  return *cell;
}

Three Network::run(const Tensor &input, TensorList weights, const Tensor &hidden,
                   const OptionalTensor &cell) const {
  switch (mode) {
    case Lstm:
      return at::lstm(input, {hidden, cell_of(cell)}, weights, biases, layers, dropout, train, bidirectional,
                      batch_first);
    case Gru:
      return without_cell(
          at::gru(input, hidden, weights, biases, layers, dropout, train, bidirectional, batch_first));
    case Tanh:
      return without_cell(
          at::rnn_tanh(input, hidden, weights, biases, layers, dropout, train, bidirectional, batch_first));
    default:
      return without_cell(
          at::rnn_relu(input, hidden, weights, biases, layers, dropout, train, bidirectional, batch_first));
  }
}

Three Network::run_packed(const Tensor &input, IntArrayRef sizes, TensorList weights, const Tensor &hidden,
                          const OptionalTensor &cell) const {
  const auto batches = at::tensor(sizes, at::TensorOptions().dtype(at::kLong));
  switch (mode) {
    case Lstm:
      return at::lstm(input, batches, {hidden, cell_of(cell)}, weights, biases, layers, dropout, train,
                      bidirectional);
    case Gru:
      return without_cell(
          at::gru(input, batches, hidden, weights, biases, layers, dropout, train, bidirectional));
    case Tanh:
      return without_cell(
          at::rnn_tanh(input, batches, hidden, weights, biases, layers, dropout, train, bidirectional));
    default:
      return without_cell(
          at::rnn_relu(input, batches, hidden, weights, biases, layers, dropout, train, bidirectional));
  }
}

// Layers of LSTMs with projections have an additional weight.
Five cudnn(const Tensor &input, TensorList weight, int64_t per_layer, const OptionalTensor &,
           const Tensor &hx, const OptionalTensor &cx, int64_t mode, int64_t, int64_t projected,
           int64_t layers, bool batch_first, double dropout, bool train, bool bidirectional,
           IntArrayRef batch_sizes, const OptionalTensor &) {
  const auto biases = per_layer > (projected > 0 ? 3 : 2);
  const Network network{mode, layers, biases, batch_first, bidirectional, dropout, train};
  auto [output, hidden, cell] = batch_sizes.empty() ? network.run(input, weight, hx, cx)
                                                    : network.run_packed(input, batch_sizes, weight, hx, cx);
  const auto none = at::empty({0}, input.options());
  return {output, hidden, cell, at::empty({0}, input.options().dtype(at::kByte)), none};
}

Five miopen(const Tensor &input, TensorList weight, int64_t per_layer, const Tensor &hx,
            const OptionalTensor &cx, int64_t mode, int64_t size, int64_t layers, bool batch_first,
            double dropout, bool train, bool bidirectional, IntArrayRef batch_sizes, const OptionalTensor &) {
  return cudnn(input, weight, per_layer, std::nullopt, hx, cx, mode, size, 0, layers, batch_first, dropout,
               train, bidirectional, batch_sizes, std::nullopt);
}

// Only `_cudnn_rnn` reads the result, and it also gets the separate weights.
Tensor flattened(TensorList weights, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool, bool) {
  TORCH_CHECK(!weights.empty(), "a recurrent net without weights");
  return at::empty({0}, weights[0].options());
}

// Computes one layer in one direction, [length, batch, size]. Absent biases may have any sizes.
Four onednn(const Tensor &input, const Tensor &weight0, const Tensor &weight1, const Tensor &weight2,
            const Tensor &weight3, const Tensor &hx, const Tensor &cx, bool reverse, IntArrayRef batch_sizes,
            int64_t mode, int64_t, int64_t layers, bool biases, bool bidirectional, bool, bool train) {
  TORCH_CHECK(layers == 1 && !bidirectional && batch_sizes.empty(),
              "oneDNN computes one layer in one direction");
  const Network network{mode, 1, biases, false, false, 0, train};
  std::vector<Tensor> weights = {weight0, weight1};
  if (biases) {
    weights.insert(weights.end(), {weight2, weight3});
  }
  auto [output, hidden, cell] = network.run(reverse ? input.flip(0) : input, weights, hx, cx);
  return {reverse ? output.flip(0) : output, hidden, cell, at::empty({0}, input.options())};
}

Tensor with_bias(const Tensor &gates, const OptionalTensor &bias) {
  return bias && bias->defined() ? gates + *bias : gates;
}

// The workspace holds the activated gates side by side, for the backward operator below.
Three lstm_cell(const Tensor &input_gates, const Tensor &hidden_gates, const Tensor &cx,
                const OptionalTensor &input_bias, const OptionalTensor &hidden_bias) {
  const auto gates = with_bias(input_gates, input_bias) + with_bias(hidden_gates, hidden_bias);
  const auto parts = gates.chunk(4, 1);
  const auto in = parts[0].sigmoid(), forget = parts[1].sigmoid(), next = parts[2].tanh(),
             out = parts[3].sigmoid();
  const auto cell = forget * cx + in * next;
  return {out * cell.tanh(), cell, at::cat({in, forget, next, out}, 1)};
}

Three lstm_cell_backward(const OptionalTensor &grad_hy, const OptionalTensor &grad_cy, const Tensor &cx,
                         const Tensor &cy, const Tensor &workspace, bool has_bias) {
  const auto parts = workspace.chunk(4, 1);
  const auto &in = parts[0], &forget = parts[1], &next = parts[2], &out = parts[3];
  const auto activated = cy.tanh();
  const auto hidden = grad_hy && grad_hy->defined() ? *grad_hy : at::zeros_like(cy);
  auto cell = hidden * out * (1 - activated * activated);
  if (grad_cy && grad_cy->defined()) {
    cell = cell + *grad_cy;
  }
  const auto gates = at::cat({cell * next * in * (1 - in), cell * cx * forget * (1 - forget),
                              cell * in * (1 - next * next), hidden * activated * out * (1 - out)},
                             1);
  return {gates, cell * forget, has_bias ? gates.sum(0) : at::empty({0}, gates.options())};
}

// The workspace holds reset, update and new gate, the old state and the hidden part of the new
// gate.
Two gru_cell(const Tensor &input_gates, const Tensor &hidden_gates, const Tensor &hx,
             const OptionalTensor &input_bias, const OptionalTensor &hidden_bias) {
  const auto from_input = with_bias(input_gates, input_bias).chunk(3, 1);
  const auto from_hidden = with_bias(hidden_gates, hidden_bias).chunk(3, 1);
  const auto reset = (from_input[0] + from_hidden[0]).sigmoid(),
             update = (from_input[1] + from_hidden[1]).sigmoid();
  const auto next = (from_input[2] + reset * from_hidden[2]).tanh();
  return {next + update * (hx - next), at::cat({reset, update, next, hx, from_hidden[2]}, 1)};
}

Five gru_cell_backward(const Tensor &grad, const Tensor &workspace, bool has_bias) {
  const auto parts = workspace.chunk(5, 1);
  const auto &reset = parts[0], &update = parts[1], &next = parts[2], &hidden = parts[3], &inner = parts[4];
  const auto of_update = grad * (hidden - next) * update * (1 - update);
  const auto of_next = grad * (1 - update) * (1 - next * next);
  const auto of_reset = of_next * inner * reset * (1 - reset);
  const auto of_input = at::cat({of_reset, of_update, of_next}, 1);
  const auto of_hidden = at::cat({of_reset, of_update, of_next * reset}, 1);
  const auto none = at::empty({0}, grad.options());
  return {of_input, of_hidden, grad * update, has_bias ? of_input.sum(0) : none,
          has_bias ? of_hidden.sum(0) : none};
}

}  // namespace recurrent_ops
}  // namespace

pt2::Family pt2::portable::recurrent() {
  using namespace recurrent_ops;
  return {
      {"pt2_portable::_cudnn_rnn(Tensor input, Tensor[] weight, int weight_stride0, Tensor? weight_buf, "
       "Tensor hx, "
       "Tensor? cx, int mode, SymInt hidden_size, SymInt proj_size, int num_layers, bool batch_first, "
       "float dropout, bool train, bool bidirectional, SymInt[] batch_sizes, Tensor? dropout_state) -> "
       "(Tensor, "
       "Tensor, Tensor, Tensor, Tensor)",
       boxed<cudnn>},
      {"pt2_portable::miopen_rnn(Tensor input, Tensor[] weight, int weight_stride0, Tensor hx, Tensor? cx, "
       "int mode, "
       "int hidden_size, int num_layers, bool batch_first, float dropout, bool train, bool bidirectional, "
       "int[] batch_sizes, Tensor? dropout_state) -> (Tensor, Tensor, Tensor, Tensor, Tensor)",
       boxed<miopen>},
      {"pt2_portable::_cudnn_rnn_flatten_weight(Tensor[] weight_arr, int weight_stride0, SymInt input_size, "
       "int mode, "
       "SymInt hidden_size, SymInt proj_size, int num_layers, bool batch_first, bool bidirectional) -> "
       "Tensor",
       boxed<flattened>},
      {"pt2_portable::mkldnn_rnn_layer(Tensor input, Tensor weight0, Tensor weight1, Tensor weight2, Tensor "
       "weight3, "
       "Tensor hx_, Tensor cx_, bool reverse, int[] batch_sizes, int mode, int hidden_size, int num_layers, "
       "bool has_biases, bool bidirectional, bool batch_first, bool train) -> (Tensor, Tensor, Tensor, "
       "Tensor)",
       boxed<onednn>},
      {"pt2_portable::_thnn_fused_lstm_cell(Tensor input_gates, Tensor hidden_gates, Tensor cx, Tensor? "
       "input_bias=None, "
       "Tensor? hidden_bias=None) -> (Tensor, Tensor, Tensor)",
       boxed<lstm_cell>},
      {"pt2_portable::_thnn_fused_lstm_cell_backward_impl(Tensor? grad_hy, Tensor? grad_cy, Tensor cx, "
       "Tensor cy, "
       "Tensor workspace, bool has_bias) -> (Tensor, Tensor, Tensor)",
       boxed<lstm_cell_backward>},
      {"pt2_portable::_thnn_fused_gru_cell(Tensor input_gates, Tensor hidden_gates, Tensor hx, Tensor? "
       "input_bias=None, "
       "Tensor? hidden_bias=None) -> (Tensor, Tensor)",
       boxed<gru_cell>},
      {"pt2_portable::_thnn_fused_gru_cell_backward(Tensor grad_hy, Tensor workspace, bool has_bias) -> "
       "(Tensor, "
       "Tensor, "
       "Tensor, Tensor, Tensor)",
       boxed<gru_cell_backward>},
  };
}
