// Checks of oneDNN's recurrent layers: weights and states have the sizes that the arguments imply.
#include "argument_checks.h"

using pt2::checks::Arguments;

namespace {

// Returns the number of gates of a mode. Modes are numbered as in cuDNN (at::native::RNNParams and
// ideep, 2.11).
int64_t gates_of(int64_t mode) {
  switch (mode) {
    case 2:
      return 4;
    case 3:
      return 3;
    default:
      TORCH_CHECK(false, "no recurrent layer of mode ", mode);
  }
}

void check_matrix(const at::Tensor &matrix, int64_t rows, int64_t columns) {
  TORCH_CHECK(matrix.dim() == 2 && matrix.size(0) == rows && matrix.size(1) == columns, "a weight of sizes ",
              matrix.sizes(), " where ", rows, " x ", columns, " is expected");
}

// input, weights and biases, state, cell state, reverse, batch sizes, mode, hidden size, layers, biases
void layer(const Arguments &given) {
  const auto &input = given.tensor(0);
  auto gates = gates_of(given.integer(9)), hidden = given.integer(10);
  TORCH_CHECK(hidden > 0 && hidden <= INT32_MAX, "a hidden size of ", hidden);
  TORCH_CHECK(input.dim() == 3 && input.numel() > 0, "an input of sizes ", input.sizes());
  check_matrix(given.tensor(1), gates * hidden, input.size(2));
  check_matrix(given.tensor(2), gates * hidden, hidden);
  auto batch = input.size(1);
  for (size_t at : {5, 6}) pt2::checks::has_elements(given.tensor(at), batch * hidden, "a state");
  if (given.flag(12)) {
    for (size_t at : {3, 4}) pt2::checks::has_elements(given.tensor(at), gates * hidden, "a bias");
  }
  for (size_t at = 1; at <= 6; ++at) {
    TORCH_CHECK(given.tensor(at).scalar_type() == input.scalar_type(), "the tensors have different dtypes");
  }
}

// input, state, parameters, biases, layers, dropout, training, bidirectional. A projection adds one
// parameter.
void layers(const Arguments &given) {
  constexpr int64_t most = 1 << 20;
  auto count = given.integer(4), parameters = given.length(2);
  TORCH_CHECK(0 < count && count <= most, count, " layers");
  auto cells = given.flag(7) ? 2 * count : count;
  int64_t each = given.flag(3) ? 4 : 2;
  TORCH_CHECK(parameters == cells * each || parameters == cells * (each + 1), parameters, " parameters for ",
              cells, " cells of ", each);
}

}  // namespace

pt2::checks::Table pt2::checks::recurrent() {
  return {
      {"aten::mkldnn_rnn_layer", layer}, {"aten::lstm.input", layers},     {"aten::gru.input", layers},
      {"aten::rnn_tanh.input", layers},  {"aten::rnn_relu.input", layers},
  };
}
