// libpt2 from C++. For its arguments see arguments.hpp.

#include <pt2.hpp>

#include "measure.hpp"

namespace {

class Lane {
 public:
  Lane(const pt2::Model &model, const std::vector<pt2::Tensor> &inputs, void *stream) : model_(model) {
    for (const pt2::Tensor &input : inputs) inputs_.push_back(input.share());
    options_.stream = stream;
  }

  pt2::Tensor forward() { return model_.run(inputs_, options_).at(0).to_host(); }

  static bench::Seen seen(const pt2::Tensor &output) {
    return bench::seen(output.data(), output.element_count(), output.dtype() == pt2::Dtype::Float32);
  }

 private:
  const pt2::Model &model_;
  std::vector<pt2::Tensor> inputs_;
  pt2::RunOptions options_;
};

class Runtime {
 public:
  explicit Runtime(const bench::Arguments &arguments) : arguments_(arguments) {}

  void place() {
    for (const bench::Input &input : arguments_.inputs) inputs_.push_back(placed(input));
  }

  void load() {
    pt2::LoadOptions options;
    options.device = arguments_.device;
    // The benchmark compiled its packages itself; archives of programs hold no native code.
    options.allow_native_code = true;
    options.instances = static_cast<std::size_t>(arguments_.threads);
    if (arguments_.level == "exact") options.optimization = pt2::Optimization::Exact;
    if (arguments_.level == "tuned") options.tuning_folder = std::getenv("BENCH_TUNING_FOLDER");
    model_ = std::make_unique<pt2::Model>(pt2::Model::load(arguments_.archive, options));
  }

  Lane lane(bool own_stream) const {
    return Lane(*model_, inputs_, own_stream && arguments_.cuda() ? bench::new_cuda_stream() : nullptr);
  }

 private:
  pt2::Tensor placed(const bench::Input &input) const {
    std::vector<float> values = bench::numbers(input.elements());
    if (input.dtype == "float32") {
      return pt2::Tensor::from(std::move(values), input.sizes).to_device(arguments_.device);
    }
    std::vector<std::uint16_t> halves(values.size());
    std::transform(values.begin(), values.end(), halves.begin(), bench::narrowed);
    const auto host = pt2::Tensor::borrow(halves.data(), pt2::Dtype::BFloat16, input.sizes);
    // A host tensor would still borrow the vector after this function returns.
    kept_.push_back(std::move(halves));
    return host.to_device(arguments_.device);
  }

  bench::Arguments arguments_;
  mutable std::vector<std::vector<std::uint16_t>> kept_;
  std::vector<pt2::Tensor> inputs_;
  std::unique_ptr<pt2::Model> model_;
};

}  // namespace

int main(int argc, char **argv) { bench::run<Runtime>(argc, argv); }
