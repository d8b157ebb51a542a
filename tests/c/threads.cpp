// Eight threads run one handle concurrently, 200 calls each. Each output equals that of a single
// thread. If the program writes to its state, outputs match some serial order of the calls.

#include <algorithm>
#include <atomic>
#include <thread>

#include "arrays.hpp"

namespace {

constexpr int THREADS = 8, CALLS = 200;

/// Runs `body(thread, call)` for all threads and calls; all threads begin together.
template <class Body>
void at_once(Body body) {
  std::atomic<int> waiting{THREADS};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < THREADS; ++thread) {
    threads.emplace_back([&, thread] {
      for (--waiting; waiting > 0;) std::this_thread::yield();
      for (int call = 0; call < CALLS; ++call) body(thread, call);
    });
  }
  for (std::thread &thread : threads) thread.join();
}

/// Different batch sizes concurrently, on one handle that has never run.
void outputs_are_those_of_one_thread(const std::string &name) {
  const std::vector<StoredCall> calls = stored_calls(name);
  const std::string path = archive((name + ".pt2").c_str());
  std::vector<std::vector<std::string>> expected;
  {
    const pt2::Model alone = pt2::Model::load(path);
    for (const StoredCall &call : calls) expected.push_back(run_to_bytes(alone, call.inputs));
  }
  const pt2::Model shared = pt2::Model::load(path);
  std::atomic<int> compared{0};
  at_once([&](int thread, int call) {
    const std::size_t k = static_cast<std::size_t>(thread + call) % calls.size();
    if (run_to_bytes(shared, calls[k].inputs) == expected[k]) ++compared;
  });
  std::printf("%s: %d of %d calls bit-equal\n", name.c_str(), compared.load(), THREADS * CALLS);
  CHECK(compared == THREADS * CALLS);
}

/// `x *= 2; total += sum(x before)`, output `x + total`. One row of distinct powers of two is not
/// rounded, so each output reveals the total that its call saw. All calls must have seen different
/// ones.
void state_changes_one_call_at_a_time() {
  const pt2::Model model = pt2::Model::load(archive("2.11.0/mutation.pt2"));
  std::vector<float> totals(THREADS * CALLS);
  at_once([&](int thread, int call) {
    float row[3] = {1, 1, 1};
    const std::vector<pt2::Tensor> outputs = model.run(pt2::Tensor::borrow(row, {1, 3}));
    totals[static_cast<std::size_t>(thread * CALLS + call)] = outputs.at(0).at<float>(0, 2) - 2;
    CHECK(row[0] == 2);
  });
  std::sort(totals.begin(), totals.end());
  for (std::size_t i = 0; i < totals.size(); ++i) CHECK(totals[i] == static_cast<float>(i + 1));
  std::printf("mutation: %zu calls took turns\n", totals.size());
}

/// Batch norm's statistics depend on the order of calls only if inputs differ. With equal inputs,
/// the outputs of N calls, and the buffers after them, equal those of N calls of one thread, in
/// some order.
void training_equals_a_serial_order() {
  const std::string path = archive("2.11.0/train_buffers.pt2");
  const std::vector<Stored> inputs = stored_calls("2.11.0/train_buffers")[0].inputs;
  const pt2::Model alone = pt2::Model::load(path), shared = pt2::Model::load(path);
  std::vector<std::vector<std::string>> expected(THREADS * CALLS), found(THREADS * CALLS);
  for (auto &outputs : expected) outputs = run_to_bytes(alone, inputs);
  at_once([&](int thread, int call) {
    found[static_cast<std::size_t>(thread * CALLS + call)] = run_to_bytes(shared, inputs);
  });
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  CHECK(found == expected);
  std::printf("train_buffers: %zu calls equal a serial order\n", found.size());
}

/// Every thread fails every fourth call, without effect on the others.
void failures_stay_with_their_call() {
  const std::vector<StoredCall> calls = stored_calls("2.11.0/mini_resnet");
  const pt2::Model model = pt2::Model::load(archive("2.11.0/mini_resnet.pt2"));
  const std::vector<std::string> expected = run_to_bytes(model, calls[1].inputs);
  std::atomic<int> refused{0}, compared{0};
  at_once([&](int, int call) {
    std::vector<Stored> inputs = calls[1].inputs;
    if (call % 4 == 0) inputs[0].sizes[1] = 2;
    try {
      if (run_to_bytes(model, inputs) == expected) ++compared;
    } catch (const pt2::Error &error) {
      if (error.code() == pt2::ErrorCode::Input) ++refused;
    }
  });
  CHECK(refused == THREADS * CALLS / 4 && compared == THREADS * CALLS * 3 / 4);
}

}  // namespace

int main() {
  outputs_are_those_of_one_thread("2.11.0/mini_resnet");
  state_changes_one_call_at_a_time();
  training_equals_a_serial_order();
  failures_stay_with_their_call();
}
