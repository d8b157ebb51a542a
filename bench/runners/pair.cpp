// libpt2 and PyTorch's own loader on one package, in turns in one process, so that differences
// between processes affect both equally. For its arguments see arguments.hpp, with these modes:
// `pair`, and `control`, in which PyTorch's loader takes both parts. `control` shows the noise of
// the measurement.

#include <torch/csrc/inductor/aoti_package/model_package_loader.h>

#include <pt2.hpp>

#include "libtorch.hpp"
#include "unpacked.hpp"

namespace {

using Bytes = std::vector<char>;

std::size_t size_of(pt2::Dtype dtype) {
  if (dtype == pt2::Dtype::Float32) return 4;
  if (dtype == pt2::Dtype::BFloat16) return 2;
  throw std::invalid_argument("an output is neither float32 nor bfloat16");
}

class Contender {
 public:
  virtual ~Contender() = default;
  /// Waits for the first output on the host.
  virtual void forward() const = 0;
  /// Returns all outputs of a call, concatenated.
  virtual Bytes outputs() const = 0;
};

void append(Bytes &bytes, const void *data, std::size_t count) {
  const char *start = static_cast<const char *>(data);
  bytes.insert(bytes.end(), start, start + count);
}

class Ours : public Contender {
 public:
  Ours(const bench::Arguments &arguments, const std::vector<at::Tensor> &host) {
    pt2::LoadOptions options;
    options.device = arguments.device;
    options.form = pt2::Form::Compiled;
    options.allow_native_code = true;  // The benchmark compiled its packages itself.
    options.instances = 1;
    model_ = std::make_unique<pt2::Model>(pt2::Model::load(arguments.archive, options));
    for (const at::Tensor &tensor : host) inputs_.push_back(borrowed(tensor).to_device(arguments.device));
  }

  void forward() const override { model_->run(inputs_).at(0).to_host(); }

  Bytes outputs() const override {
    Bytes bytes;
    for (const pt2::Tensor &output : model_->run(inputs_)) {
      const pt2::Tensor host = output.to_host();
      append(bytes, host.data(), host.element_count() * size_of(host.dtype()));
    }
    return bytes;
  }

 private:
  static pt2::Tensor borrowed(const at::Tensor &host) {
    const auto dtype = host.scalar_type() == at::kFloat ? pt2::Dtype::Float32 : pt2::Dtype::BFloat16;
    return pt2::Tensor::borrow(host.data_ptr(), dtype, host.sizes().vec());
  }

  std::unique_ptr<pt2::Model> model_;
  std::vector<pt2::Tensor> inputs_;
};

class Theirs : public Contender {
 public:
  Theirs(const bench::Arguments &arguments, const std::vector<at::Tensor> &host) {
    const at::Device device(arguments.device);
    loader_ = std::make_unique<torch::inductor::AOTIModelPackageLoader>(arguments.archive, "model", false, 1,
                                                                        device.index());
    for (const at::Tensor &tensor : host) inputs_.push_back(tensor.to(device));
  }

  void forward() const override { loader_->run(inputs_).at(0).cpu(); }

  Bytes outputs() const override {
    Bytes bytes;
    for (const at::Tensor &output : loader_->run(inputs_)) {
      const at::Tensor host = output.cpu().contiguous();
      append(bytes, host.const_data_ptr(), host.nbytes());
    }
    return bytes;
  }

 private:
  std::unique_ptr<torch::inductor::AOTIModelPackageLoader> loader_;
  std::vector<at::Tensor> inputs_;
};

/// Durations of calls in milliseconds.
using Times = std::vector<double>;

double median(Times times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// Consecutive calls of one contender before the other's turn.
constexpr int group = 5;

void take(const Contender &contender, Times &times) {
  for (int i = 0; i < group; ++i) {
    const auto start = bench::Clock::now();
    contender.forward();
    times.push_back(bench::since(start));
  }
}

struct Turns {
  Times ours, theirs;
  std::vector<double> ratios;  // of the medians, one for each block

  /// Runs ours, theirs, theirs, ours: a steady drift affects both equally.
  void block(const Contender &one, const Contender &other) {
    Times mine, yours;
    take(one, mine), take(other, yours), take(other, yours), take(one, mine);
    ratios.push_back(median(mine) / median(yours));
    ours.insert(ours.end(), mine.begin(), mine.end());
    theirs.insert(theirs.end(), yours.begin(), yours.end());
  }
};

Turns turns(const bench::Arguments &arguments, const Contender &one, const Contender &other) {
  for (int i = 0; i < arguments.warm; ++i) one.forward(), other.forward();
  Turns warm, all;
  warm.block(one, other);
  const auto start = bench::Clock::now();
  const auto least = static_cast<std::size_t>(3 * 2 * group),
             most = static_cast<std::size_t>(arguments.repeat);
  while (all.ours.size() < least ||
         (all.ours.size() < most && bench::since(start) < arguments.seconds * 1e3)) {
    all.block(one, other);
  }
  return all;
}

void print(const Turns &all, bool equal) {
  const double ours = median(all.ours), theirs = median(all.theirs);
  std::printf("{\"steady\": %.6f, \"steady_peer\": %.6f, \"ratio\": %.6f, \"calls\": %zu, \"equal\": %s",
              ours, theirs, ours / theirs, all.ours.size(), equal ? "true" : "false");
  const char *before = ", \"ratios\": [";
  for (const double ratio : all.ratios) std::printf("%s%.4f", before, ratio), before = ", ";
  std::printf("]");
}

void measure(const bench::Arguments &arguments) {
  if (arguments.cuda()) bench::load_cuda_half();
  const c10::InferenceMode inference;
  std::vector<at::Tensor> host;
  for (const bench::Input &input : arguments.inputs) host.push_back(bench::placed(input, at::kCPU));
  bench::remove_unpacked_at_exit();
  const bool control = arguments.mode == "control";
  // Leaked, as in the programs that measure one of them.
  const Contender &other = *new Theirs(arguments, host);
  const Contender &one = control ? *static_cast<Contender *>(new Theirs(arguments, host))
                                 : *static_cast<Contender *>(new Ours(arguments, host));
  bool equal = one.outputs() == other.outputs();
  const Turns all = turns(arguments, one, other);
  equal = equal && one.outputs() == other.outputs();
  print(all, equal);
}

}  // namespace

int main(int argc, char **argv) { bench::run(argc, argv, measure); }
