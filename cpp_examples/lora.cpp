/// Applies a low-rank change (LoRA) to one weight of a loaded model, and reverts it.
///
///     lora ARCHIVE WEIGHT [RANK]
///
/// The weight becomes W + scale * B * A, with B and A of the given rank. Other threads may run the
/// model meanwhile: each call uses either the old weight or the new one. Reverting reads the weight
/// from the mapped archive again, so no second copy is kept.
///
/// Exit code 1: an error, or outputs that are not bit-equal to those before.

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <pt2.hpp>
#include <string>
#include <vector>

/// B [rows, rank] and A [rank, columns], contiguous. A real program reads them from a file.
struct Adapter {
  std::size_t rank;
  float scale;
  std::vector<float> a, b;
};

static Adapter make_adapter(std::size_t rows, std::size_t columns, std::size_t rank) {
  Adapter adapter{rank, 0.5F, std::vector<float>(rank * columns), std::vector<float>(rows * rank)};
  for (std::size_t i = 0; i < adapter.a.size(); ++i) adapter.a[i] = static_cast<float>(i % 7) / 7 - 0.5F;
  for (std::size_t i = 0; i < adapter.b.size(); ++i) adapter.b[i] = static_cast<float>(i % 5) / 5 - 0.5F;
  return adapter;
}

/// Returns W + scale * B * A, in memory that the tensor owns.
static pt2::Tensor merged(const pt2::Tensor &weight, const Adapter &adapter) {
  const std::size_t rows = static_cast<std::size_t>(weight.sizes()[0]);
  const std::size_t columns = static_cast<std::size_t>(weight.sizes()[1]);
  std::vector<float> sum = weight.values<float>();
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < adapter.rank; ++k) {
      const float factor = adapter.scale * adapter.b[r * adapter.rank + k];
      for (std::size_t c = 0; c < columns; ++c) sum[r * columns + c] += factor * adapter.a[k * columns + c];
    }
  }
  return pt2::Tensor::from(std::move(sum), weight.sizes());
}

/// Returns the bytes of all outputs for inputs of ones, with 2 for dynamic sizes.
static std::vector<char> outputs(const pt2::Model &model) {
  std::vector<pt2::Tensor> inputs;
  for (const pt2::Port &port : model.inputs()) {
    std::vector<std::int64_t> sizes;
    std::size_t count = 1;
    for (const pt2::Dimension &dimension : port.dimensions) {
      sizes.push_back(dimension.size < 0 ? 2 : dimension.size);
      count *= static_cast<std::size_t>(sizes.back());
    }
    inputs.push_back(pt2::Tensor::from(std::vector<float>(count, 1.0F), sizes).to_device(model.device()));
  }
  std::vector<char> bytes;
  for (const pt2::Tensor &output : model.run(inputs)) {
    const std::vector<float> values = output.values<float>();
    const char *first = reinterpret_cast<const char *>(values.data());
    bytes.insert(bytes.end(), first, first + values.size() * sizeof(float));
  }
  return bytes;
}

static int compare(const std::string &archive, const std::string &name, std::size_t rank) {
  const pt2::Model model = pt2::Model::load(archive);
  const pt2::Tensor base = model.parameter(name).to_host();
  if (base.rank() != 2) throw pt2::Error(pt2::ErrorCode::Argument, name + " is no matrix");
  const Adapter adapter = make_adapter(static_cast<std::size_t>(base.sizes()[0]),
                                       static_cast<std::size_t>(base.sizes()[1]), rank);

  const std::vector<char> before = outputs(model);
  // To change several weights in one step, use model.swap_parameters.
  model.set_parameter(name, merged(base, adapter).to_device(model.device()));
  const std::vector<char> adapted = outputs(model);
  model.reset_parameters({name});
  const std::vector<char> after = outputs(model);

  std::cout << name << " with rank " << rank << ": outputs "
            << (adapted != before ? "changed" : "did not change")
            << ", reverted: " << (after == before ? "the same bits as before" : "not what they were") << "\n";
  return adapted != before && after == before ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc < 3 || argc > 4) {
    std::cerr << "usage: lora ARCHIVE WEIGHT [RANK]\n";
    return 2;
  }
  try {
    return compare(argv[1], argv[2], argc == 4 ? std::stoul(argv[3]) : 4);
  } catch (const std::exception &error) {
    std::cerr << "lora: " << error.what() << "\n";
    return 1;
  }
}
