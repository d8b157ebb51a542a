/// Runs one model at several batch sizes and prints the range that it accepts.
///
///     dynamic_batch mini_resnet.pt2
///
/// The model has one float32 input whose first dimension is dynamic.

#include <iostream>
#include <pt2.hpp>

static pt2::Tensor zeros(const pt2::Port &port, std::int64_t batch) {
  std::vector<std::int64_t> sizes;
  for (const pt2::Dimension &dimension : port.dimensions) {
    sizes.push_back(dimension.symbol.empty() ? dimension.size : batch);
  }
  return pt2::Tensor::from(std::vector<float>(pt2::detail::element_count(sizes)), sizes);
}

static void run(const std::string &archive) {
  const pt2::Model model = pt2::Model::load(archive);
  const pt2::Port input = model.inputs().at(0);
  const pt2::Dimension batch = input.dimensions.at(0);
  std::cout << input.name << " accepts batches from " << batch.min << " to " << batch.max << '\n';

  for (const std::int64_t size : {1, 4, 7}) {
    const std::vector<pt2::Tensor> outputs = model.run(zeros(input, size));
    std::cout << "batch " << size << ": " << outputs.at(0).sizes().at(0) << " rows\n";
  }
  try {
    model.run(zeros(input, batch.max + 1));
  } catch (const pt2::Error &error) {
    std::cout << "refused: " << error.what() << '\n';
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: dynamic_batch ARCHIVE\n", 2;
  try {
    run(argv[1]);
  } catch (const pt2::Error &error) {
    return std::cerr << "dynamic_batch: " << error.what() << '\n', 1;
  }
}
