// Loading and querying a model runs none of its operators: libtorch's dispatcher is observed for
// every archive. Controls: runs must be seen, and a second run must not fold constants again.

#ifndef PT2_DISPATCHER

int main() { return 77; }  // libtorch's headers are not on this machine

#else

#include <ATen/record_function.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#undef CHECK  // c10 has one of its own
#include "arrays.hpp"

namespace {

using Counts = std::map<std::string, int>;

std::mutex mutex;
Counts counts;

std::unique_ptr<at::ObserverContext> count(const at::RecordFunction &function) {
  const std::scoped_lock lock(mutex);
  ++counts[function.name()];
  return nullptr;
}

/// Returns the operators dispatched since the last call.
Counts dispatched() {
  const std::scoped_lock lock(mutex);
  return std::exchange(counts, {});
}

int total(const Counts &counts) {
  int sum = 0;
  for (const auto &[name, number] : counts) sum += number;
  return sum;
}

/// Operators that place weights: memory, views and copies. At `exact` no pass adds a node, so
/// nothing else runs.
const std::set<std::string> PLACING = {"aten::empty",         "aten::as_strided", "aten::set_",
                                       "aten::empty_strided", "aten::copy_",      "aten::narrow",
                                       "aten::slice",         "aten::view",       "aten::detach"};

/// Clones and reads copy the mutable state.
const std::set<std::string> COPYING = {"aten::clone"};

/// Operators of libpt2's kernels that fold norms at `fast`, with the views and copies that passes
/// add.
const std::set<std::string> FOLDING = {"aten::empty_like", "aten::mul",           "aten::to",
                                       "aten::_to_copy",   "aten::reshape",       "aten::split_with_sizes",
                                       "aten::clone",      "aten::_reshape_alias"};

/// Operators of the CUDA warm-up during load: products on memory of libpt2. Host buffers are pinned
/// meanwhile.
const std::set<std::string> WARMING = {
    "aten::linear",  "aten::addmm",          "aten::mm",           "aten::_addmm_activation",
    "aten::t",       "aten::transpose",      "aten::matmul",       "aten::_unsafe_view",
    "aten::conv2d",  "aten::convolution",    "aten::_convolution", "aten::cudnn_convolution",
    "aten::relu_",   "aten::clamp_min_",     "aten::add_",         "aten::is_pinned",
    "aten::zeros",   "aten::zero_",          "aten::fill_",        "aten::unflatten",
    "aten::permute", "aten::constant_pad_nd"};

bool on_cuda() {
  const char *device = std::getenv("PT2_DEVICE");
  return device && std::string(device).rfind("cuda", 0) == 0;
}

/// Returns true if all dispatched operators are in these sets.
bool quiet(const std::string &what, const std::vector<const std::set<std::string> *> &known) {
  bool all = true;
  for (const auto &[name, number] : dispatched()) {
    const auto holds = [&name = name](const auto *set) { return set->count(name) > 0; };
    if (std::none_of(known.begin(), known.end(), holds)) {
      std::fprintf(stderr, "%s: %d calls of %s\n", what.c_str(), number, name.c_str());
      all = false;
    }
  }
  return all;
}

pt2::LoadOptions at_level(pt2::Optimization level) {
  pt2::LoadOptions options;
  options.optimization = level;
  if (const char *device = std::getenv("PT2_DEVICE")) options.device = device;
  return options;
}

/// Calls every query and sets every weight of a model that never ran.
void ask(const pt2::Model &model) {
  model.statistics();
  for (const pt2::Parameter &parameter : model.parameters()) {
    const pt2::Tensor now = model.parameter(parameter.name);
    model.set_parameter(parameter.name, now);
  }
  model.reset_parameters();
  model.reset_state();
  const pt2::Model clone = model.clone();
  clone.statistics();
}

struct Tried {
  bool loaded, quiet;
};

Tried try_loading(const std::string &path, pt2::Optimization level) {
  const std::set<std::string> none, &folding = level == pt2::Optimization::Fast ? FOLDING : none,
                                    &warming = on_cuda() ? WARMING : none;
  Tried tried{false, true};
  dispatched();
  try {
    const pt2::Model model = pt2::Model::load(path, at_level(level));
    tried.quiet = quiet("load " + path, {&PLACING, &folding, &warming});
    tried.loaded = true;
    ask(model);
    tried.quiet = quiet("ask " + path, {&PLACING, &folding, &COPYING, &warming}) && tried.quiet;
  } catch (const pt2::Error &) {
  }
  tried.quiet = quiet("leave " + path, {&PLACING, &folding, &COPYING, &warming}) && tried.quiet;
  return tried;
}

void archives_run_nothing() {
  int tried = 0, loaded = 0, loud = 0;
  for (const char *folder : {".", "../special_archives"}) {
    for (const auto &entry : std::filesystem::recursive_directory_iterator(archive(folder))) {
      if (entry.path().extension() != ".pt2") continue;
      for (const auto level : {pt2::Optimization::Exact, pt2::Optimization::Fast}) {
        const Tried found = try_loading(entry.path().string(), level);
        ++tried;
        loaded += found.loaded;
        loud += !found.quiet;
      }
    }
  }
  std::printf("%d loads, of which %d gave a model\n", tried, loaded);
  CHECK(tried > 200 && loaded > tried / 2 && loud == 0);
}

/// Returns the operators of one run on inputs that are stored beside the archive.
Counts run(const pt2::Model &model, StoredCall &call) {
  std::vector<pt2::Tensor> inputs;
  for (Stored &stored : call.inputs) inputs.push_back(stored.tensor());
  dispatched();
  model.run(inputs);
  return dispatched();
}

void runs_are_seen() {
  for (const char *name : {"2.11.0/mini_resnet", "2.11.0/folded", "2.11.0/arithmetic"}) {
    const pt2::Model model = pt2::Model::load(archive((std::string(name) + ".pt2").c_str()));
    auto calls = stored_calls(name);
    CHECK(total(run(model, calls.at(0))) > 0);
  }
}

/// exp, mul and t of weights are folded by the first run only.
void folding_is_done_once() {
  for (const auto level : {pt2::Optimization::Exact, pt2::Optimization::Fast}) {
    const std::string path = archive("../special_archives/by_hand/folded.pt2");
    pt2::LoadOptions options;
    options.optimization = level;
    const pt2::Model model = pt2::Model::load(path, options);
    std::vector<float> x(12, 1.0f);
    StoredCall call;
    call.inputs.push_back({pt2::Dtype::Float32, {4, 3}, {reinterpret_cast<char *>(x.data()), 48}});
    const Counts first = run(model, call), second = run(model, call);
    CHECK(first.count("aten::exp") && first.count("aten::mul"));
    CHECK(!second.count("aten::exp") && !second.count("aten::mul") && second.count("aten::mm"));
    CHECK(total(second) < total(first));
    // Weights set after a run are folded at once, for concurrent calls.
    dispatched();
    model.set_parameter("w", model.parameter("w"));
    CHECK(dispatched().count("aten::exp"));
    CHECK(!run(model, call).count("aten::exp"));
  }
}

}  // namespace

int main() {
  at::addGlobalCallback(at::RecordFunctionCallback(count).scopes({at::RecordScope::FUNCTION}));
  archives_run_nothing();
  runs_are_seen();
  folding_is_done_once();
}

#endif
