#include "planning.h"

#include "../shim.h"
#include "tuned.h"
#include "tuning.h"

extern "C" {
pt2::ShimError *shim_stream_is_recorded(int32_t device, bool *out);
void shim_error_free(pt2::ShimError *error) noexcept;
}

namespace pt2::cudnn {

namespace {

// How many of cuDNN's suggestions are asked for until one works, and how many are measured. cuDNN tries all
// that it is asked for, and those that go to cuBLAS load that for 100 ms.
constexpr size_t kTried[] = {1, 4}, kMeasured = 32;

// The first suggestions for groups mostly compile their kernels at run time.
constexpr size_t kTriedForGroups[] = {4, 32};

bool is_recorded(int32_t device) {
  bool recorded = true;
  if (auto *error = shim_stream_is_recorded(device, &recorded)) {
    shim_error_free(error);
  }
  return recorded;
}

// What was found for problems, on whichever stream: to ask cuDNN takes several times as long as to plan.
class Found {
 public:
  std::optional<Choice> of(const Problem &problem) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = all_.find(problem);
    return found == all_.end() ? std::nullopt : std::make_optional(found->second);
  }

  void keep(const Problem &problem, const Choice &choice) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (all_.size() >= kMost) {
      all_.clear();
    }
    all_.insert_or_assign(problem, choice);
  }

 private:
  static constexpr size_t kMost = 4096;

  std::mutex mutex_;
  std::map<Problem, Choice> all_;
};

Found &found() {
  static auto *all = new Found;
  return *all;
}

std::optional<Plan> first_of(const std::vector<Choice> &choices, Handle handle, const Descriptor &graph,
                             const Problem &problem) {
  for (const auto &choice : choices) {
    for (const auto &way : {with_memory(choice), std::make_optional(choice)}) {
      auto plan = way ? planned(handle, graph, *way) : std::nullopt;
      if (plan) {
        found().keep(problem, *way);
        return plan;
      }
    }
  }
  return std::nullopt;
}

// One at a time: two that measure disturb each other, and may choose differently.
std::optional<Plan> tuned(Turn &turn, const Descriptor &graph, const Problem &problem,
                          const Tensors &tensors) {
  static std::mutex *const measuring = new std::mutex;
  std::lock_guard<std::mutex> alone(*measuring);
  if (auto choice = recalled(problem)) {
    if (auto plan = planned(turn->handle(), graph, *choice)) {
      return plan;
    }
  }
  if (is_recorded(problem.device)) {
    return std::nullopt;
  }
  auto found = fastest(turn, graph, suggested(graph, problem, kMeasured), tensors);
  if (!found) {
    return std::nullopt;
  }
  remember(problem, found->first);
  return std::move(found->second);
}

}  // namespace

std::optional<Plan> plan_for(Turn &turn, const Problem &problem, const Tensors &tensors) {
  auto graph = operation_graph(turn->handle(), problem);
  if (problem.tuned) {
    if (auto plan = tuned(turn, graph, problem, tensors)) {
      return plan;
    }
  }
  if (auto choice = found().of(problem)) {
    if (auto plan = planned(turn->handle(), graph, *choice)) {
      return plan;
    }
  }
  for (auto most : problem.is_grouped() ? kTriedForGroups : kTried) {
    if (auto plan = first_of(suggested(graph, problem, most), turn->handle(), graph, problem)) {
      return plan;
    }
  }
  return first_of(last_resorts(graph, problem), turn->handle(), graph, problem);
}

}  // namespace pt2::cudnn
