#include "engine_config.h"

#include <algorithm>

namespace pt2::cudnn {

namespace {

constexpr size_t kLastResorts = 32, kKnobs = 64, kNotes = 16;
// cudnnBackendHeurMode_t, cudnnBackendNumericalNote_t, cudnnBackendBehaviorNote_t
constexpr int32_t kModeA = 3, kFallback = 2;
constexpr int32_t kTensorCore = 0, kDownConvert = 1, kNondeterministic = 4;
constexpr int32_t kRuntimeCompilation = 0;
// CUDNN_KNOB_TYPE_WORKSPACE and its first two values.
constexpr int64_t kWorkspace = 25, kNone = 0, kSome = 1;

bool has(const std::vector<int32_t> &notes, int32_t note) {
  return std::find(notes.begin(), notes.end(), note) != notes.end();
}

// Filters engines like libtorch (aten/src/ATen/native/cudnn/Conv_v8.cpp, 2.11): inputs are not
// narrowed, and TF32 means tensor cores for float32.
bool is_allowed(const Descriptor &engine, const ConvKey &key) {
  auto notes = engine.get<int32_t>(AttributeName::EngineNumerics, AttributeType::NumericalNote, kNotes);
  auto behavior = engine.get<int32_t>(AttributeName::EngineBehavior, AttributeType::BehaviorNote, kNotes);
  bool narrows = has(notes, kDownConvert) || (key.type == 0 && !key.tf32 && has(notes, kTensorCore));
  bool varies = key.deterministic && has(notes, kNondeterministic);
  // Compiling a kernel takes longer than loading a model.
  return !narrows && !varies && !has(behavior, kRuntimeCompilation);
}

EngineConfig read(const Descriptor &raw_config, const Descriptor &engine) {
  EngineConfig config{engine.get<int64_t>(AttributeName::EngineIndex, AttributeType::Int64, 1).at(0), {}};
  for (const auto &knob : raw_config.get(AttributeName::ConfigKnobs, DescriptorType::KnobChoice, kKnobs)) {
    auto type = knob.get<int32_t>(AttributeName::KnobType, AttributeType::KnobType, 1).at(0);
    config.knobs.emplace_back(type,
                              knob.get<int64_t>(AttributeName::KnobValue, AttributeType::Int64, 1).at(0));
  }
  return config;
}

// Returns none if the engine does not support this graph.
std::optional<Descriptor> configured(const Descriptor &graph, const EngineConfig &config) {
  Descriptor engine(DescriptorType::Engine);
  engine.set(AttributeName::EngineGraph, graph)
      .set(AttributeName::EngineIndex, AttributeType::Int64, config.engine);
  if (!engine.try_finalize()) {
    return std::nullopt;
  }
  std::vector<Descriptor> knobs;
  std::vector<RawDescriptor> raws;
  for (auto [type, value] : config.knobs) {
    Descriptor knob(DescriptorType::KnobChoice);
    knob.set(AttributeName::KnobType, AttributeType::KnobType, static_cast<int32_t>(type))
        .set(AttributeName::KnobValue, AttributeType::Int64, value)
        .finalize();
    raws.push_back(knob.raw());
    knobs.push_back(std::move(knob));
  }
  Descriptor raw_config(DescriptorType::EngineConfig);
  raw_config.set(AttributeName::ConfigEngine, engine);
  if (!raws.empty()) {
    raw_config.set(AttributeName::ConfigKnobs, AttributeType::Descriptor, raws);
  }
  return raw_config.try_finalize() ? std::make_optional(std::move(raw_config)) : std::nullopt;
}

std::vector<EngineConfig> asked(const Descriptor &graph, const ConvKey &key, int32_t mode, size_t most) {
  std::vector<EngineConfig> configs;
  Descriptor heuristics(DescriptorType::Heuristics);
  heuristics.set(AttributeName::HeuristicsGraph, graph)
      .set(AttributeName::HeuristicsMode, AttributeType::HeuristicsMode, mode);
  if (!heuristics.try_finalize()) {
    return configs;
  }
  for (const auto &raw_config :
       heuristics.get(AttributeName::HeuristicsResults, DescriptorType::EngineConfig, most)) {
    auto engines = raw_config.get(AttributeName::ConfigEngine, DescriptorType::Engine, 1);
    if (!engines.empty() && is_allowed(engines[0], key)) {
      configs.push_back(read(raw_config, engines[0]));
    }
  }
  return configs;
}

}  // namespace

std::vector<EngineConfig> heuristic_configs(const Descriptor &graph, const ConvKey &key, size_t most) {
  return asked(graph, key, kModeA, most);
}

std::optional<EngineConfig> with_workspace(const EngineConfig &config) {
  bool without = config.knobs == decltype(config.knobs){{kWorkspace, kNone}};
  return without ? std::make_optional(EngineConfig{config.engine, {{kWorkspace, kSome}}}) : std::nullopt;
}

std::vector<EngineConfig> fallback_configs(const Descriptor &graph, const ConvKey &key) {
  return asked(graph, key, kFallback, kLastResorts);
}

std::optional<ExecutionPlan> build_plan(Handle handle, const Descriptor &graph, const EngineConfig &config) {
  auto raw_config = configured(graph, config);
  if (!raw_config) {
    return std::nullopt;
  }
  Descriptor plan(DescriptorType::ExecutionPlan);
  plan.set(AttributeName::PlanHandle, AttributeType::Handle, handle)
      .set(AttributeName::PlanConfig, *raw_config);
  if (!plan.try_finalize()) {
    return std::nullopt;
  }
  auto workspace = plan.get<int64_t>(AttributeName::PlanWorkspace, AttributeType::Int64, 1).at(0);
  return ExecutionPlan{std::move(plan), workspace};
}

}  // namespace pt2::cudnn
