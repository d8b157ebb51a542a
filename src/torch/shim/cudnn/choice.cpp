#include "choice.h"

#include <algorithm>

namespace pt2::cudnn {

namespace {

constexpr size_t kLastResorts = 32, kKnobs = 64, kNotes = 16;
// cudnnBackendHeurMode_t, cudnnBackendNumericalNote_t, cudnnBackendBehaviorNote_t
constexpr int32_t kModeA = 3, kFallback = 2;
constexpr int32_t kTensorCore = 0, kDownConvert = 1, kNondeterministic = 4;
constexpr int32_t kRuntimeCompilation = 0;
// CUDNN_KNOB_TYPE_WORKSPACE, and the first two of its values.
constexpr int64_t kWorkspace = 25, kNone = 0, kSome = 1;

bool has(const std::vector<int32_t> &notes, int32_t note) {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

// As libtorch filters its own (aten/src/ATen/native/cudnn/Conv_v8.cpp, 2.11): inputs are not narrowed, and
// TF32 is tensor cores for float32.
bool is_allowed(const Descriptor &engine, const Problem &problem) {
  auto notes = engine.get<int32_t>(Name::EngineNumerics, Type::NumericalNote, kNotes);
  auto behavior = engine.get<int32_t>(Name::EngineBehavior, Type::BehaviorNote, kNotes);
  bool narrows = has(notes, kDownConvert) || (problem.type == 0 && !problem.tf32 && has(notes, kTensorCore));
  bool varies = problem.deterministic && has(notes, kNondeterministic);
  // Compiling a kernel takes longer than a whole start.
  return !narrows && !varies && !has(behavior, kRuntimeCompilation);
}

Choice read(const Descriptor &config, const Descriptor &engine) {
  Choice choice{engine.get<int64_t>(Name::EngineIndex, Type::Int64, 1).at(0), {}};
  for (const auto &knob : config.get(Name::ConfigKnobs, Kind::KnobChoice, kKnobs)) {
    auto type = knob.get<int32_t>(Name::KnobType, Type::KnobType, 1).at(0);
    choice.knobs.emplace_back(type, knob.get<int64_t>(Name::KnobValue, Type::Int64, 1).at(0));
  }
  return choice;
}

// None where the engine is not for this graph.
std::optional<Descriptor> configured(const Descriptor &graph, const Choice &choice) {
  Descriptor engine(Kind::Engine);
  engine.set(Name::EngineGraph, graph).set(Name::EngineIndex, Type::Int64, choice.engine);
  if (!engine.try_finalize()) {
    return std::nullopt;
  }
  std::vector<Descriptor> knobs;
  std::vector<RawDescriptor> raws;
  for (auto [type, value] : choice.knobs) {
    Descriptor knob(Kind::KnobChoice);
    knob.set(Name::KnobType, Type::KnobType, static_cast<int32_t>(type))
        .set(Name::KnobValue, Type::Int64, value)
        .finalize();
    raws.push_back(knob.raw());
    knobs.push_back(std::move(knob));
  }
  Descriptor config(Kind::EngineConfig);
  config.set(Name::ConfigEngine, engine);
  if (!raws.empty()) {
    config.set(Name::ConfigKnobs, Type::Descriptor, raws);
  }
  return config.try_finalize() ? std::make_optional(std::move(config)) : std::nullopt;
}

std::vector<Choice> asked(const Descriptor &graph, const Problem &problem, int32_t mode, size_t most) {
  std::vector<Choice> choices;
  Descriptor heuristics(Kind::Heuristics);
  heuristics.set(Name::HeuristicsGraph, graph).set(Name::HeuristicsMode, Type::HeuristicsMode, mode);
  if (!heuristics.try_finalize()) {
    return choices;
  }
  for (const auto &config : heuristics.get(Name::HeuristicsResults, Kind::EngineConfig, most)) {
    auto engines = config.get(Name::ConfigEngine, Kind::Engine, 1);
    if (!engines.empty() && is_allowed(engines[0], problem)) {
      choices.push_back(read(config, engines[0]));
    }
  }
  return choices;
}

}  // namespace

std::vector<Choice> suggested(const Descriptor &graph, const Problem &problem, size_t most) {
  return asked(graph, problem, kModeA, most);
}

std::optional<Choice> with_memory(const Choice &choice) {
  bool without = choice.knobs == decltype(choice.knobs){{kWorkspace, kNone}};
  return without ? std::make_optional(Choice{choice.engine, {{kWorkspace, kSome}}}) : std::nullopt;
}

std::vector<Choice> last_resorts(const Descriptor &graph, const Problem &problem) {
  return asked(graph, problem, kFallback, kLastResorts);
}

std::optional<Plan> planned(Handle handle, const Descriptor &graph, const Choice &choice) {
  auto config = configured(graph, choice);
  if (!config) {
    return std::nullopt;
  }
  Descriptor plan(Kind::ExecutionPlan);
  plan.set(Name::PlanHandle, Type::Handle, handle).set(Name::PlanConfig, *config);
  if (!plan.try_finalize()) {
    return std::nullopt;
  }
  auto workspace = plan.get<int64_t>(Name::PlanWorkspace, Type::Int64, 1).at(0);
  return Plan{std::move(plan), workspace};
}

}  // namespace pt2::cudnn
