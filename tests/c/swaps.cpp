// Weights are swapped while eight threads run: every output uses either all old weights or all new
// ones.

#include <atomic>
#include <thread>

#include "arrays.hpp"

namespace {

constexpr int THREADS = 8, CALLS = 500;

using Weights = std::map<std::string, pt2::Tensor>;
using Outputs = std::vector<std::string>;

/// Returns all weights with their elements in reverse, in new memory.
Weights reversed(const pt2::Model &model) {
  Weights all;
  for (const pt2::Parameter &parameter : model.parameters()) {
    if (parameter.dtype != pt2::Dtype::Float32) continue;
    std::vector<float> values = model.parameter(parameter.name).values<float>();
    all[parameter.name] =
        pt2::Tensor::from(std::vector<float>(values.rbegin(), values.rend()), parameter.sizes);
  }
  return all;
}

/// Runs `call` THREADS x CALLS times while `swap` is repeated, at least ten times.
template <class Call, class Swap>
int while_swapping(Call call, Swap swap) {
  std::atomic<int> running{THREADS}, swaps{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < THREADS; ++thread) {
    threads.emplace_back([&, thread] {
      for (int k = 0; k < CALLS || swaps < 10; ++k) call(thread, k);
      --running;
    });
  }
  while (running > 0) {
    swap(swaps.load());
    ++swaps;
  }
  for (std::thread &thread : threads) thread.join();
  return swaps;
}

void answers_are_old_or_new(pt2::Optimization optimization) {
  const std::vector<StoredCall> calls = stored_calls("2.11.0/mini_resnet");
  pt2::LoadOptions options;
  options.optimization = optimization;
  const pt2::Model model = pt2::Model::load(archive("2.11.0/mini_resnet.pt2"), options);
  const Weights others = reversed(model);
  std::vector<Outputs> old_ones, new_ones;
  for (const StoredCall &call : calls) old_ones.push_back(run_to_bytes(model, call.inputs));
  model.swap_parameters(others);
  for (const StoredCall &call : calls) new_ones.push_back(run_to_bytes(model, call.inputs));
  CHECK(old_ones != new_ones);

  std::atomic<int> were_old{0}, were_new{0}, torn{0};
  const int swaps = while_swapping(
      [&](int thread, int k) {
        const std::size_t which = static_cast<std::size_t>(thread + k) % calls.size();
        const Outputs found = run_to_bytes(model, calls[which].inputs);
        ++(found == old_ones[which] ? were_old : found == new_ones[which] ? were_new : torn);
      },
      [&](int swap) {
        if (swap % 2 == 0) {
          model.reset_parameters();
        } else {
          model.swap_parameters(others);
        }
      });
  std::printf("%d swaps: %d answers old, %d new, %d torn\n", swaps, were_old.load(), were_new.load(),
              torn.load());
  CHECK(torn == 0 && were_old > 0 && were_new > 0);
}

/// The program adds the sum of each column of its input to `total` and returns the sum of both. The
/// three elements that are set keep their differences after any number of calls.
void a_state_is_swapped_between_calls() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/mutation.pt2"));
  const auto values = [](int swap) {
    const float base = static_cast<float>(swap % 7) * 8192;
    return pt2::Tensor::from<float>({base, base + 65536, base + 131072}, {3});
  };
  model.set_parameter("total", values(0));
  std::atomic<int> wrong{0};
  while_swapping(
      [&](int, int) {
        float row[3] = {1, 1, 1};
        const std::vector<pt2::Tensor> outputs = model.run(pt2::Tensor::borrow(row, {1, 3}));
        const std::vector<float> found = outputs.at(0).values<float>();
        if (found[1] != found[0] + 65536 || found[2] != found[0] + 131072) ++wrong;
      },
      [&](int swap) { model.set_parameter("total", values(swap)); });
  CHECK(wrong == 0);
}

/// Concurrent swaps: none is lost, and clones keep the weights of their creation.
void exchanges_come_one_after_the_other() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/mini_resnet.pt2"));
  const Weights others = reversed(model);
  std::vector<std::thread> threads;
  for (const auto &named : others) {
    threads.emplace_back([&model, &named] {
      for (int i = 0; i < 3; ++i) model.set_parameter(named.first, named.second);
    });
  }
  for (std::thread &thread : threads) thread.join();
  const pt2::Model clone = model.clone(), alone = pt2::Model::load(archive("2.11.0/mini_resnet.pt2"));
  alone.swap_parameters(others);
  const std::vector<Stored> inputs = stored_calls("2.11.0/mini_resnet")[0].inputs;
  CHECK(run_to_bytes(model, inputs) == run_to_bytes(alone, inputs));
  model.reset_parameters({});
  model.reset_parameters();
  CHECK(run_to_bytes(clone, inputs) == run_to_bytes(alone, inputs));
  CHECK(run_to_bytes(model, inputs) != run_to_bytes(alone, inputs));
}

}  // namespace

int main() {
  answers_are_old_or_new(pt2::Optimization::Exact);
  answers_are_old_or_new(pt2::Optimization::Fast);
  a_state_is_swapped_between_calls();
  exchanges_come_one_after_the_other();
}
