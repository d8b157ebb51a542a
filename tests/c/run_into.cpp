// Outputs in the caller's memory.

#include <pt2.hpp>

#include "check.h"

namespace {

using Floats = std::vector<float>;

Floats image(std::int64_t batch, float start) {
  Floats data(batch * 3 * 32 * 32);
  for (float &value : data) value = start = start * 1.3f - static_cast<int>(start * 1.3f);
  return data;
}

void as_if_they_were_new() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/mini_resnet.pt2"));
  Floats scores(4 * 20, 7);
  for (const std::int64_t batch : {1, 4, 2, 4}) {
    std::vector<pt2::Tensor> inputs, outputs;
    inputs.push_back(pt2::Tensor::from(image(batch, 0.1f * batch), {batch, 3, 32, 32}));
    const Floats expected = model.run(inputs).at(0).values<float>();
    outputs.push_back(pt2::Tensor::borrow(scores.data(), {batch, 10}));
    model.run_into(inputs, outputs);
    CHECK(Floats(scores.begin(), scores.begin() + batch * 10) == expected);

    // Every other element of each row.
    outputs[0] = pt2::Tensor::borrow(scores.data(), pt2::Dtype::Float32, {batch, 10}, {20, 2});
    scores.assign(scores.size(), 7);
    model.run_into(inputs, outputs);
    for (std::int64_t i = 0; i < batch * 20; ++i) CHECK(scores[i] == (i % 2 ? 7 : expected[i / 2]));
  }
}

void refused_before_anything_is_written() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/mini_resnet.pt2"));
  const pt2::Tensor input = pt2::Tensor::from(image(4, 0.3f), {4, 3, 32, 32});
  pt2_tensor *const given[] = {input.handle()};
  const auto refused = [&](const pt2::Tensor &output, const char *words) {
    pt2_tensor *const outputs[] = {output.handle()};
    FAILS(PT2_ERROR_ARGUMENT, words, pt2_run_into(model.handle(), given, 1, nullptr, outputs, 1));
  };
  Floats scores(40, 7);
  refused(pt2::Tensor::borrow(scores.data(), {2, 10}), "are [2, 10], the program gives [4, 10]");
  refused(pt2::Tensor::borrow(scores.data(), {4, 9}), "sizes are [4, 9]");
  refused(pt2::Tensor::borrow(scores.data(), {40}), "sizes are [40]");
  refused(pt2::Tensor::from(std::vector<double>(40), {4, 10}), "float64, the program gives float32");
  refused(pt2::Tensor::borrow(scores.data(), pt2::Dtype::Float32, {4, 10}, {0, 1}), "single memory location");
  CHECK(scores == Floats(40, 7));

  pt2_tensor *const none[] = {nullptr, nullptr};
  FAILS(PT2_ERROR_ARGUMENT, "there is room for 2", pt2_run_into(model.handle(), given, 1, nullptr, none, 2));
  FAILS(PT2_ERROR_ARGUMENT, "`outputs`", pt2_run_into(model.handle(), given, 1, nullptr, nullptr, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_run_into(nullptr, given, 1, nullptr, none, 1));
  FAILS(PT2_ERROR_INPUT, "input", pt2_run_into(model.handle(), given, 0, nullptr, none, 1));
  OK(pt2_run_into(model.handle(), given, 1, nullptr, none, 1));
}

// The program returns x, x[1:] and x * 2, among others.
void outputs_that_are_inputs() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/returns.pt2"));
  Floats x{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, y(12), doubled(12);
  const Floats before = x;
  std::vector<pt2::Tensor> inputs(model.inputs().size()), outputs(model.outputs().size());
  inputs[0] = pt2::Tensor::borrow(x.data(), {4, 3});
  const Floats expected = model.run(inputs).at(6).values<float>();
  outputs[3] = pt2::Tensor::borrow(x.data(), {3, 3});
  outputs[2] = pt2::Tensor::borrow(y.data(), {4, 3});
  outputs[6] = pt2::Tensor::borrow(doubled.data(), {4, 3});
  model.run_into(inputs, outputs);
  CHECK(y == before && doubled == expected);
  CHECK(x == (Floats{3, 4, 5, 6, 7, 8, 9, 10, 11, 9, 10, 11}));

  outputs[3] = {};
  outputs[6] = {};
  outputs[2] = pt2::Tensor::borrow(x.data(), {4, 3});
  model.run_into(inputs, outputs);
  CHECK(x == (Floats{3, 4, 5, 6, 7, 8, 9, 10, 11, 9, 10, 11}));
}

void numbers_and_none() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/constants.pt2"));
  std::vector<pt2::Tensor> inputs, outputs(model.outputs().size());
  inputs.push_back(pt2::Tensor::from(Floats{1, 2, 3, 4, 5, 6}, {2, 3}));
  outputs[0] = pt2::Tensor::scalar(0.0f);
  const auto fails = [&](const char *words) {
    try {
      model.run_into(inputs, outputs);
    } catch (const pt2::Error &error) {
      CHECK(error.code() == pt2::ErrorCode::Argument && strstr(error.what(), words));
      return;
    }
    CHECK(!"nothing was thrown");
  };
  fails("`result[\"sum\"]`: it is float64");
  float sum = 0;
  outputs[0] = pt2::Tensor::borrow(&sum, {});
  std::int64_t number = 0;
  outputs[3] = pt2::Tensor::borrow(&number, {});
  model.run_into(inputs, outputs);
  CHECK(sum == 21 && number == (std::int64_t{1} << 62));
  outputs[1] = pt2::Tensor::scalar(0);
  fails("`result[\"none\"]`: the program gives no tensor there");
  outputs[1] = {};
  outputs[4] = pt2::Tensor::scalar(1);
  fails("it is int64, the program gives float64");
}

}  // namespace

int main() {
  as_if_they_were_new();
  refused_before_anything_is_written();
  outputs_that_are_inputs();
  numbers_and_none();
}
