// AOTInductor from C++, on a package compiled from the archive. For its arguments see
// arguments.hpp.

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include "libtorch.hpp"
#include "unpacked.hpp"

namespace {

using Loader = torch::inductor::AOTIModelPackageLoader;

using Lane = bench::Lane<Loader, at::Tensor>;

class Runtime : public bench::Prepared<at::Tensor> {
 public:
  using Prepared::Prepared;

  // One runner for each thread: a runner serves one call at a time.
  void load() {
    const c10::InferenceMode inference;
    bench::remove_unpacked_at_exit();
    model_ = std::make_unique<Loader>(arguments_.archive, "model", false,
                                      static_cast<std::size_t>(arguments_.threads), device_.index());
    bench::wait_for(device_);
  }

  Lane lane(bool own_stream) const { return Lane(*model_, inputs_, device_, own_stream); }

 private:
  std::unique_ptr<Loader> model_;
};

}  // namespace

int main(int argc, char **argv) { bench::run<Runtime>(argc, argv); }
