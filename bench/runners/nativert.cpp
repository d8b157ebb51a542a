// PyTorch's own native runtime, from C++; the arguments are those of arguments.hpp. libtorch 2.11 ships the
// runtime without a header, so the handle class is declared as its exported symbols have it.

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

  // Its destructor is not among the exported symbols, so it is never destroyed.
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
