// PyTorch's native runtime from C++. For its arguments see arguments.hpp. libtorch 2.11 has no
// header for the runtime, so the handle class is declared to match its exported symbols.

#include <new>
#include <string>
#include <unordered_map>

#include "libtorch.hpp"

namespace torch::nativert {
class ModelRunner;
class ModelRunnerHandle {
 public:
  ModelRunnerHandle(const std::string &archive, const std::string &model);
  ~ModelRunnerHandle();
  c10::IValue run(const std::vector<c10::IValue> &args,
                  const std::unordered_map<std::string, c10::IValue> &kwargs = {});

 private:
  std::unique_ptr<ModelRunner> impl_;
};
}  // namespace torch::nativert

namespace {

using Handle = torch::nativert::ModelRunnerHandle;

using Lane = bench::Lane<Handle, c10::IValue>;

class Runtime : public bench::Prepared<c10::IValue> {
 public:
  using Prepared::Prepared;

  // Leaked: the destructor is not exported.
  void load() {
    const c10::InferenceMode inference;
    model_ = new (place_) Handle(arguments_.archive, "model");
    bench::wait_for(device_);
  }

  Lane lane(bool own_stream) const { return Lane(*model_, inputs_, device_, own_stream); }

 private:
  alignas(16) char place_[sizeof(Handle)];
  Handle *model_ = nullptr;
};

}  // namespace

int main(int argc, char **argv) { bench::run<Runtime>(argc, argv); }
