#include "plan_selection.h"

#include "../shim.h"
#include "autotune.h"
#include "tuning_cache.h"

namespace pt2::cudnn {

namespace {

// Suggestions requested until one works, and suggestions measured. cuDNN checks every suggestion
// that it returns, and those that use cuBLAS load it (100 ms).
constexpr size_t kTried[] = {1, 4}, kMeasured = 32;

// The first suggestions for grouped convolutions mostly compile their kernels at run time.
constexpr size_t kTriedForGroups[] = {4, 32};

bool is_recorded(int32_t device) {
  bool recorded = true;
  if (auto *error = shim_stream_is_capturing(device, &recorded)) {
    shim_error_free(error);
  }
  return recorded;
}

// Configurations found for problems, shared by all streams. Asking cuDNN takes several times as
// long as building a plan.
class PlanSearch {
 public:
  std::optional<EngineConfig> of(const ConvKey &key) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = all_.find(key);
    return found == all_.end() ? std::nullopt : std::make_optional(found->second);
  }

  void keep(const ConvKey &key, const EngineConfig &config) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (all_.size() >= kMost) {
      all_.clear();
    }
    all_.insert_or_assign(key, config);
  }

 private:
  static constexpr size_t kMost = 4096;

  std::mutex mutex_;
  std::map<ConvKey, EngineConfig> all_;
};

PlanSearch &found() {
  static auto *all = new PlanSearch;
  return *all;
}

std::optional<ExecutionPlan> first_of(const std::vector<EngineConfig> &configs, Handle handle,
                                      const Descriptor &graph, const ConvKey &key) {
  for (const auto &config : configs) {
    for (const auto &way : {with_workspace(config), std::make_optional(config)}) {
      auto plan = way ? build_plan(handle, graph, *way) : std::nullopt;
      if (plan) {
        found().keep(key, *way);
        return plan;
      }
    }
  }
  return std::nullopt;
}

// Measures one problem at a time: parallel measurements disturb each other and may choose
// differently.
std::optional<ExecutionPlan> tuned(HandleLock &turn, const Descriptor &graph, const ConvKey &key,
                                   const Tensors &tensors) {
  static std::mutex *const measuring = new std::mutex;
  std::lock_guard<std::mutex> alone(*measuring);
  if (auto config = cached_config(key)) {
    if (auto plan = build_plan(turn->handle(), graph, *config)) {
      return plan;
    }
  }
  if (is_recorded(key.device)) {
    return std::nullopt;
  }
  auto found = autotune(turn, graph, heuristic_configs(graph, key, kMeasured), tensors);
  if (!found) {
    return std::nullopt;
  }
  cache_config(key, found->first);
  return std::move(found->second);
}

}  // namespace

std::optional<ExecutionPlan> plan_for(HandleLock &turn, const ConvKey &key, const Tensors &tensors) {
  auto graph = operation_graph(turn->handle(), key);
  if (key.autotune) {
    if (auto plan = tuned(turn, graph, key, tensors)) {
      return plan;
    }
  }
  if (auto config = found().of(key)) {
    if (auto plan = build_plan(turn->handle(), graph, *config)) {
      return plan;
    }
  }
  for (auto most : key.is_grouped() ? kTriedForGroups : kTried) {
    if (auto plan = first_of(heuristic_configs(graph, key, most), turn->handle(), graph, key)) {
      return plan;
    }
  }
  return first_of(fallback_configs(graph, key), turn->handle(), graph, key);
}

}  // namespace pt2::cudnn
