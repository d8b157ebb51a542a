// Clones of one model generate different sequences concurrently. Each equals the sequence of a
// model that runs alone.

#include <atomic>
#include <optional>
#include <thread>

#include "arrays.hpp"

namespace {

constexpr int SESSIONS = 8, STEPS = 12;
const char *const CACHE = "2.11.0/cache.pt2";

using Logits = std::vector<float>;

Logits step(const pt2::Model &model, int session, int step) {
  std::int64_t token = (session * 3 + step * 5) % 16, position = step;
  return model.run(pt2::Tensor::borrow(&token, {1}), pt2::Tensor::borrow(&position, {1}))
      .at(0)
      .values<float>();
}

std::vector<Logits> sequence(const pt2::Model &model, int session) {
  std::vector<Logits> all;
  for (int i = 0; i < STEPS; ++i) all.push_back(step(model, session, i));
  return all;
}

std::vector<Logits> alone(int session) { return sequence(pt2::Model::load(archive(CACHE)), session); }

void two_sequences_take_turns() {
  const pt2::Model first = pt2::Model::load(archive(CACHE)), second = first.clone();
  const std::vector<Logits> expected[] = {alone(0), alone(1)};
  CHECK(expected[0] != expected[1]);
  for (int i = 0; i < STEPS; ++i) {
    CHECK(step(first, 0, i) == expected[0][static_cast<std::size_t>(i)]);
    CHECK(step(second, 1, i) == expected[1][static_cast<std::size_t>(i)]);
  }
  first.reset_state();
  CHECK(sequence(first, 1) == expected[1]);
}

void threads_with_clones_of_clones() {
  std::optional<pt2::Model> original = pt2::Model::load(archive(CACHE));
  std::vector<std::vector<Logits>> expected;
  for (int session = 0; session < SESSIONS; ++session) expected.push_back(alone(session));
  std::atomic<int> equal{0}, cloned{0};
  std::vector<std::thread> threads;
  for (int session = 0; session < SESSIONS; ++session) {
    threads.emplace_back([&, session] {
      const pt2::Model mine = original->clone();
      if (++cloned == SESSIONS) original.reset();
      const pt2::Model own = mine.clone();
      if (sequence(own, session) == expected[static_cast<std::size_t>(session)]) ++equal;
    });
  }
  for (std::thread &thread : threads) thread.join();
  CHECK(equal == SESSIONS);
}

void a_program_without_state_shares_everything() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/returns.pt2")), clone = model.clone();
  std::vector<float> x(12, 1);
  const auto weight = [&x](const pt2::Model &of) {
    std::map<std::string, pt2::Tensor> inputs;
    inputs["args[0]"] = pt2::Tensor::borrow(x.data(), {4, 3});
    return of.run_named(inputs).at(0).data();
  };
  CHECK(weight(model) == weight(clone));
  model.reset_state();
}

void outputs_by_name() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/constants.pt2"));
  std::vector<float> x{1, 2, 3, 4, 5, 6};
  std::map<std::string, pt2::Tensor> inputs;
  inputs["ARGS[0]"] = pt2::Tensor::borrow(x.data(), {2, 3});
  const auto outputs = model.run_named(inputs, {"RESULT[sum]", "RESULT[none]"});
  CHECK(outputs.size() == 2 && outputs.at("RESULT[sum]").at<float>() == 21 && !outputs.at("RESULT[none]"));
  CHECK(model.outputs()[2].constant == "True" && !model.outputs()[0].constant);
}

void warming_leaves_no_trace() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/constants.pt2"));
  std::vector<float> x{1, 2, 3, 4, 5, 6};
  std::vector<pt2::Tensor> inputs;
  inputs.push_back(pt2::Tensor::borrow(x.data(), {2, 3}));
  while (inputs.size() < model.inputs().size()) inputs.emplace_back();
  model.warm(inputs);
  CHECK(x == (std::vector<float>{1, 2, 3, 4, 5, 6}));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_warm(nullptr, nullptr, 0, nullptr));
  FAILS(PT2_ERROR_INPUT, "input", pt2_warm(model.handle(), nullptr, inputs.size() + 1, nullptr));
}

void wrong_arguments() {
  const pt2::Model model = pt2::Model::load(archive(CACHE));
  pt2_model *clone = nullptr;
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_clone(nullptr, &clone));
  FAILS(PT2_ERROR_ARGUMENT, "`clone`", pt2_clone(model.handle(), nullptr));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_reset_state(nullptr, nullptr));
  pt2_run_options options{};
  FAILS(PT2_ERROR_ARGUMENT, "struct_size", pt2_reset_state(model.handle(), &options));
  OK(pt2_reset_state(model.handle(), nullptr));
  CHECK(clone == nullptr);
}

}  // namespace

int main() {
  two_sequences_take_turns();
  threads_with_clones_of_clones();
  a_program_without_state_shares_everything();
  warming_leaves_no_trace();
  outputs_by_name();
  wrong_arguments();
}
