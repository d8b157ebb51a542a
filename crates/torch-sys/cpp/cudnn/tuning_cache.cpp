#include "tuning_cache.h"

#include <atomic>
#include <map>
#include <mutex>
#include <sstream>

#include "../shim.h"

namespace pt2::cudnn {

namespace {

// Limit of knobs in a line. The numbers are cuDNN's, which rejects unknown ones.
constexpr size_t kMostKnobs = 64;

struct TuningCache {
  // Number of autotuned choices in this process.
  std::atomic<uint64_t> times{0};
  std::mutex mutex;
  // Choices by device and problem.
  std::map<std::pair<int32_t, std::string>, EngineConfig> all;
};

TuningCache &tuning_cache() {
  static auto *all = new TuningCache;
  return *all;
}

template <class Numbers>
void write(std::ostream &to, const Numbers &numbers) {
  for (auto number : numbers) to << number << ',';
}

// Returns the key's text without the device: a tuning cache is a file for one device.
std::string text(const ConvKey &key) {
  std::ostringstream to;
  to << key.type << ',';
  for (const auto *shape : {&key.input, &key.weight, &key.output}) {
    write(to, shape->sizes);
    write(to, shape->strides);
  }
  for (const auto *pair : {&key.padding, &key.stride, &key.dilation}) write(to, *pair);
  to << key.bias << key.sum << key.relu << key.tf32 << key.deterministic;
  return to.str();
}

std::string text(const EngineConfig &config) {
  std::ostringstream to;
  to << config.engine;
  for (auto [knob, value] : config.knobs) to << ' ' << knob << '=' << value;
  return to.str();
}

std::optional<EngineConfig> parse(std::istream &from) {
  EngineConfig config{};
  if (!(from >> config.engine)) {
    return std::nullopt;
  }
  int64_t knob = 0, value = 0;
  char equals = 0;
  while (config.knobs.size() < kMostKnobs && from >> knob) {
    if (!(from >> equals >> value) || equals != '=') {
      return std::nullopt;
    }
    config.knobs.emplace_back(knob, value);
  }
  return config;
}

}  // namespace

std::optional<EngineConfig> cached_config(const ConvKey &key) {
  auto &from = tuning_cache();
  std::lock_guard<std::mutex> lock(from.mutex);
  auto found = from.all.find({key.device, text(key)});
  return found == from.all.end() ? std::nullopt : std::make_optional(found->second);
}

void cache_config(const ConvKey &key, const EngineConfig &config) {
  auto &to = tuning_cache();
  std::lock_guard<std::mutex> lock(to.mutex);
  to.all[{key.device, text(key)}] = config;
  ++to.times;
}

}  // namespace pt2::cudnn

using namespace pt2::cudnn;

extern "C" {

// 0 where this process has no cuDNN.
size_t shim_cudnn_version() noexcept {
  return pt2::guarded_or<size_t>(0, [] { return library() ? library()->version() : 0; });
}

uint64_t shim_cudnn_tuned_count() noexcept {
  return pt2::guarded_or<uint64_t>(0, [] { return tuning_cache().times.load(); });
}

// A line of a file of choices, `key engine knob=value …`; false if it is none.
bool shim_cudnn_load_tuning(int32_t device, const char *line, size_t length) noexcept {
  return pt2::guarded_or(false, [&] {
    std::istringstream from(std::string(line, length));
    std::string key;
    from >> key;
    auto config = parse(from);
    if (config) {
      std::lock_guard<std::mutex> lock(tuning_cache().mutex);
      tuning_cache().all.emplace(std::make_pair(device, std::move(key)), std::move(*config));
    }
    return config.has_value();
  });
}

// Calls `take` with each line of a device.
pt2::ShimError *shim_cudnn_each_tuning(int32_t device, void (*take)(void *, const char *, size_t),
                                       void *context) noexcept {
  return pt2::caught([&] {
    std::lock_guard<std::mutex> lock(tuning_cache().mutex);
    for (const auto &[key, config] : tuning_cache().all) {
      if (key.first == device) {
        auto line = key.second + ' ' + text(config);
        take(context, line.data(), line.size());
      }
    }
  });
}
}
