// Outputs and mutated inputs on a CUDA device, with and without CUDA graphs. Skipped (exit code 77)
// without a device. The CPU's tests are outputs.c and sharing.c.

#include <cstring>
#include <pt2.hpp>

#include "check.h"

namespace {

const std::string FOLDER = "../special_archives/interface/";

pt2::Model on(const std::string &device, const std::string &name) {
  pt2::LoadOptions options;
  options.device = device;
  options.cuda_graphs = 4;
  return pt2::Model::load(archive((FOLDER + name).c_str()), options);
}

bool has_device() {
  try {
    on("cuda", "two.pt2");
    return true;
  } catch (const pt2::Error &error) {
    CHECK(error.code() == pt2::ErrorCode::Device);
    return false;
  }
}

// All outputs equal the CPU's, with and without CUDA graphs.
void lazy_outputs() {
  const pt2::Model cpu = on("cpu", "lazy.pt2"), cuda = on("cuda", "lazy.pt2");
  for (uint32_t call = 0; call < 8; ++call) {
    float data[32];
    fill(data, 32, call + 1);
    std::vector<pt2::Tensor> here, there;
    here.push_back(pt2::Tensor::borrow(data, pt2::Dtype::Complex64, {8, 2}));
    there.push_back(here[0].to_device("cuda"));
    const auto expected = cpu.run(here), found = cuda.run(there);
    CHECK(expected.size() == found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i].device() == "cuda:0");
      const pt2::Tensor left = expected[i].to_host(), right = found[i].to_host();
      CHECK(left.sizes() == right.sizes() && left.dtype() == right.dtype());
      const std::size_t count = left.element_count() * (left.dtype() == pt2::Dtype::Complex64 ? 2 : 1);
      CHECK(memcmp(left.data(), right.data(), count * sizeof(float)) == 0);
    }
  }
}

// The program writes to an input that is a weight, by its handle and by its address.
void weights_stay() {
  const pt2::Model model = on("cuda", "writes.pt2");
  float x[8], y[8];
  fill(x, 8, 1);
  fill(y, 8, 2);
  const std::vector<std::int64_t> sizes{8};
  const auto inputs = [&](const pt2::Tensor &first) {
    std::vector<pt2::Tensor> all;
    all.push_back(first.share());
    all.push_back(pt2::Tensor::borrow(y, sizes).to_device("cuda"));
    return all;
  };
  const pt2::Tensor weight = model.parameter("weight");
  const auto before = weight.values<float>();
  const pt2::Tensor address = pt2::Tensor::borrow(weight.data(), pt2::Dtype::Float32, sizes, {}, "cuda");
  for (const pt2::Tensor *refused : {&weight, &address}) {
    try {
      model.run(inputs(*refused));
      CHECK(!"a weight was written to");
    } catch (const pt2::Error &error) {
      CHECK(error.code() == pt2::ErrorCode::Input && strstr(error.what(), "holds weights"));
    }
  }
  model.run(inputs(pt2::Tensor::borrow(x, sizes).to_device("cuda")));
  CHECK(weight.values<float>() == before);
}

// Pairs of float64 at addresses that are unaligned for complex numbers.
void elements_of_another_dtype() {
  const pt2::Model model = on("cuda", "pairs.pt2");
  std::vector<double> numbers(68);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i % 9) - 4;
  const pt2::Tensor memory = pt2::Tensor::borrow(numbers.data(), {68}).to_device("cuda");
  for (std::size_t offset = 0; offset < 2; ++offset) {
    std::vector<pt2::Tensor> inputs;
    inputs.push_back(pt2::Tensor::borrow(memory.data<double>() + offset, {33, 2}, "cuda"));
    const auto found = model.run(inputs).at(0).values<double>();
    for (std::size_t i = 0; i < 33; ++i) {
      const double real = numbers[offset + 2 * i], imaginary = numbers[offset + 2 * i + 1];
      CHECK(found[2 * i] == real * real - imaginary * imaginary && found[2 * i + 1] == 2 * real * imaginary);
    }
  }
}

}  // namespace

int main() {
  if (!has_device()) return 77;
  lazy_outputs();
  weights_stay();
  elements_of_another_dtype();
  puts("lazy outputs, weights and unaligned inputs are right on CUDA");
  return 0;
}
