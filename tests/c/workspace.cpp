// Workspaces of calls on the CPU are kept for the next call. An output belongs to the caller: it
// keeps its content during later calls and outlives the model.

#include <sys/resource.h>

#include <thread>

#include "arrays.hpp"

namespace {

/// Numbers in a row of inputs and outputs.
constexpr std::int64_t ROW = 700;

pt2::Model arithmetic() { return pt2::Model::load(archive("2.11.0/arithmetic.pt2")); }

pt2::Tensor numbers(std::int64_t rows, std::size_t seed) {
  std::vector<float> values(static_cast<std::size_t>(rows * ROW));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>((i + seed) * 2654435761u % 1000) / 500 - 1;
  }
  return pt2::Tensor::from(std::move(values), {rows, ROW});
}

std::vector<pt2::Tensor> inputs(std::int64_t rows) {
  std::vector<pt2::Tensor> both;
  for (const std::size_t seed : {0, 77}) both.push_back(numbers(rows, seed));
  return both;
}

std::vector<pt2::Tensor> run(const pt2::Model &model, std::int64_t rows) { return model.run(inputs(rows)); }

std::vector<std::string> bytes(const std::vector<pt2::Tensor> &tensors) {
  std::vector<std::string> all;
  for (const pt2::Tensor &tensor : tensors) {
    all.emplace_back(static_cast<const char *>(tensor.data()), tensor.element_count() * sizeof(float));
  }
  return all;
}

long page_faults() {
  rusage usage{};
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return usage.ru_minflt;
}

void later_calls_work_in_the_pages_of_earlier_ones() {
  const pt2::Model model = arithmetic();
  const std::vector<pt2::Tensor> given = inputs(512);
  const auto faults = [&](int calls) {
    const long before = page_faults();
    for (int call = 0; call < calls; ++call) model.run(given);
    return page_faults() - before;
  };
  faults(3);
  const long later = faults(10);
  // Ten calls have outputs of 86 MB, which are 21,000 pages of 4 KiB.
  std::printf("page faults in ten calls: %ld\n", later);
  CHECK(later < 500);
}

/// Outputs of many sizes that are all kept: each is bit-equal to a new model's.
void outputs_keep_their_content() {
  std::vector<std::vector<pt2::Tensor>> kept;
  std::vector<std::vector<std::string>> expected;
  {
    const pt2::Model model = arithmetic();
    for (const std::int64_t rows : {64, 300, 1, 64, 128, 300, 47}) {
      kept.push_back(run(model, rows));
      expected.push_back(bytes(run(arithmetic(), rows)));
      // Their memory is free again.
      run(model, rows);
    }
    for (std::size_t i = 0; i < kept.size(); ++i) CHECK(bytes(kept[i]) == expected[i]);
  }
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(bytes(kept[i]) == expected[i]);
}

void threads_work_in_memory_of_their_own() {
  const pt2::Model model = arithmetic();
  const std::vector<std::string> expected = bytes(run(model, 200));
  std::vector<std::thread> threads;
  std::vector<int> equal(8);
  for (int &count : equal) {
    threads.emplace_back([&] {
      for (int call = 0; call < 50; ++call) count += bytes(run(model, 200)) == expected;
    });
  }
  for (std::thread &thread : threads) thread.join();
  for (const int count : equal) CHECK(count == 50);
}

/// Outputs may be freed by another thread, after the model.
void the_last_owner_may_be_anyone() {
  for (int round = 0; round < 20; ++round) {
    std::vector<pt2::Tensor> outputs;
    {
      const pt2::Model model = arithmetic();
      outputs = run(model, 256);
      run(model, 64);
    }
    std::thread([owned = std::move(outputs)]() mutable { owned.clear(); }).join();
  }
}

}  // namespace

int main() {
  later_calls_work_in_the_pages_of_earlier_ones();
  outputs_keep_their_content();
  threads_work_in_memory_of_their_own();
  the_last_owner_may_be_anyone();
  return 0;
}
