// Every archive of every PyTorch version returns PyTorch's outputs in every stored call.

#include <cmath>
#include <cstring>
#include <filesystem>

#include "arrays.hpp"

namespace {

double value(const Stored &array, const char *bytes, std::size_t index) {
  const auto read = [&](auto typed) {
    std::memcpy(&typed, bytes + index * sizeof typed, sizeof typed);
    return typed;
  };
  switch (array.dtype) {
    case pt2::Dtype::Float32:
      return static_cast<double>(read(float()));
    case pt2::Dtype::Int64:
      return static_cast<double>(read(std::int64_t()));
    case pt2::Dtype::BFloat16: {
      const std::uint32_t bits = static_cast<std::uint32_t>(read(std::uint16_t())) << 16;
      float widened;
      std::memcpy(&widened, &bits, sizeof widened);
      return static_cast<double>(widened);
    }
    default:
      throw std::runtime_error("no output has this dtype");
  }
}

double relative_error(const Stored &expected, const std::string &found, std::size_t size) {
  CHECK(found.size() == expected.bytes.size());
  double difference = 0, magnitude = 1e-30;
  for (std::size_t i = 0; i * size < found.size(); ++i) {
    const double theirs = value(expected, expected.bytes.data(), i);
    difference = std::fmax(difference, std::fabs(value(expected, found.data(), i) - theirs));
    magnitude = std::fmax(magnitude, std::fabs(theirs));
  }
  return difference / magnitude;
}

struct Tally {
  int archives = 0, calls = 0, outputs = 0, exact = 0;
  double worst = 0;
};

void compare(const std::string &name, Tally &tally) {
  const pt2::Model model = pt2::Model::load(archive((name + ".pt2").c_str()));
  ++tally.archives;
  for (StoredCall &call : stored_calls(name)) {
    ++tally.calls;
    std::vector<pt2::Tensor> inputs;
    for (Stored &input : call.inputs) inputs.push_back(input.tensor());
    const std::vector<pt2::Tensor> outputs = model.run(inputs);
    CHECK(outputs.size() == call.outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Stored &expected = call.outputs[i];
      CHECK(outputs[i].dtype() == expected.dtype && outputs[i].sizes() == expected.sizes);
      const bool wide = expected.dtype == pt2::Dtype::Int64, narrow = expected.dtype == pt2::Dtype::BFloat16;
      const std::size_t size = wide ? 8 : narrow ? 2 : 4;
      const std::string found = bytes_of(outputs[i], size);
      const double error = relative_error(expected, found, size);
      if (!(error < 1e-5)) std::fprintf(stderr, "%s, output %zu: error %g\n", name.c_str(), i, error);
      CHECK(error < 1e-5);
      ++tally.outputs;
      tally.exact += found == expected.bytes;
      tally.worst = std::fmax(tally.worst, error);
    }
  }
}

}  // namespace

int main() {
  Tally tally;
  for (const std::string version :
       {"2.6.0", "2.7.1", "2.8.0", "2.9.1", "2.10.0", "2.11.0", "2.12.1", "2.13.0", "2.14.1", "2.15.0"}) {
    for (const std::string name :
         {"mini_resnet", "mini_resnet_train", "train_buffers", "tree", "dtypes", "mutation"}) {
      // PyTorch 2.6 and 2.7 could not export some, and some versions have none of the large ones.
      if (!std::filesystem::exists(archive((version + "/" + name + ".pt2").c_str()))) continue;
      compare(version + "/" + name, tally);
    }
  }
  std::printf("%d archives, %d calls, %d outputs, %d bit-equal, largest relative error %g\n", tally.archives,
              tally.calls, tally.outputs, tally.exact, tally.worst);
  CHECK(tally.archives == 10 * 6 - 2 - 3);
}
