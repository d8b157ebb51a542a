// AOTInductor from C++, on a package that was compiled of the archive; the arguments are those of
// arguments.hpp.

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include "libtorch.hpp"

namespace {

using Loader = torch::inductor::AOTIModelPackageLoader;

class Lane {
 public:
  Lane(Loader &model, const std::vector<at::Tensor> &inputs, const at::Device &device, bool own_stream)
      : scope_(device, own_stream), model_(model), inputs_(inputs) {}

  bench::Values forward() { return bench::host_values(model_.run(inputs_).at(0)); }

 private:
  bench::ThreadScope scope_;
  Loader &model_;
  std::vector<at::Tensor> inputs_;
};

class Runtime {
 public:
  explicit Runtime(const bench::Arguments &arguments) : arguments_(arguments), device_(at::kCPU) {
    if (arguments.cuda()) bench::load_cuda_half();
    device_ = at::Device(arguments.device);
  }

  void place() {
    for (const bench::Input &input : arguments_.inputs) inputs_.push_back(bench::placed(input, device_));
    bench::wait_for(device_);
  }

  // As many runners as threads: a runner serves one call at a time.
  void load() {
    const c10::InferenceMode inference;
    model_ = std::make_unique<Loader>(arguments_.archive, "model", false,
                                      static_cast<std::size_t>(arguments_.threads), device_.index());
    bench::wait_for(device_);
  }

  Lane lane(bool own_stream) const { return Lane(*model_, inputs_, device_, own_stream); }

 private:
  bench::Arguments arguments_;
  at::Device device_;
  std::vector<at::Tensor> inputs_;
  std::unique_ptr<Loader> model_;
};

}  // namespace

int main(int argc, char **argv) { bench::run<Runtime>(argc, argv); }
