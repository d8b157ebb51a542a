#include "tuned.h"

#include <atomic>
#include <map>
#include <mutex>
#include <sstream>

#include "../shim.h"

namespace pt2::cudnn {

namespace {

// Knobs of an engine; the numbers are cuDNN's, which refuses those that it does not know.
constexpr size_t kMostKnobs = 64;

struct Chosen {
  // How often tuning chose in this process.
  std::atomic<uint64_t> times{0};
  std::mutex mutex;
  // By device and problem.
  std::map<std::pair<int32_t, std::string>, Choice> all;
};

Chosen &chosen() {
  static auto *all = new Chosen;
  return *all;
}

template <class Numbers>
void write(std::ostream &to, const Numbers &numbers) {
  for (auto number : numbers) to << number << ',';
}

// All that a problem is but the device, which a file is about.
std::string text(const Problem &problem) {
  std::ostringstream to;
  to << problem.type << ',';
  for (const auto *shape : {&problem.input, &problem.weight, &problem.output}) {
    write(to, shape->sizes);
    write(to, shape->strides);
  }
  for (const auto *pair : {&problem.padding, &problem.stride, &problem.dilation}) write(to, *pair);
  to << problem.bias << problem.sum << problem.relu << problem.tf32 << problem.deterministic;
  return to.str();
}

std::string text(const Choice &choice) {
  std::ostringstream to;
  to << choice.engine;
  for (auto [knob, value] : choice.knobs) to << ' ' << knob << '=' << value;
  return to.str();
}

std::optional<Choice> parse(std::istream &from) {
  Choice choice{};
  if (!(from >> choice.engine)) {
    return std::nullopt;
  }
  int64_t knob = 0, value = 0;
  char equals = 0;
  while (choice.knobs.size() < kMostKnobs && from >> knob) {
    if (!(from >> equals >> value) || equals != '=') {
      return std::nullopt;
    }
    choice.knobs.emplace_back(knob, value);
  }
  return choice;
}

}  // namespace

std::optional<Choice> recalled(const Problem &problem) {
  auto &from = chosen();
  std::lock_guard<std::mutex> lock(from.mutex);
  auto found = from.all.find({problem.device, text(problem)});
  return found == from.all.end() ? std::nullopt : std::make_optional(found->second);
}

void remember(const Problem &problem, const Choice &choice) {
  auto &to = chosen();
  std::lock_guard<std::mutex> lock(to.mutex);
  to.all[{problem.device, text(problem)}] = choice;
  ++to.times;
}

}  // namespace pt2::cudnn

using namespace pt2::cudnn;

extern "C" {

// 0 where this process has no cuDNN.
size_t shim_cudnn_version() {
  return pt2::guarded_or<size_t>(0, [] { return library() ? library()->version() : 0; });
}

uint64_t shim_cudnn_choices() {
  return pt2::guarded_or<uint64_t>(0, [] { return chosen().times.load(); });
}

// A line of a file of choices, `problem engine knob=value …`; false if it is none.
bool shim_cudnn_recall(int32_t device, const char *line, size_t length) {
  return pt2::guarded_or(false, [&] {
    std::istringstream from(std::string(line, length));
    std::string problem;
    from >> problem;
    auto choice = parse(from);
    if (choice) {
      std::lock_guard<std::mutex> lock(chosen().mutex);
      chosen().all.emplace(std::make_pair(device, std::move(problem)), std::move(*choice));
    }
    return choice.has_value();
  });
}

// Calls `take` with each line of a device.
pt2::ShimError *shim_cudnn_each_choice(int32_t device, void (*take)(void *, const char *, size_t),
                                       void *context) {
  return pt2::caught([&] {
    std::lock_guard<std::mutex> lock(chosen().mutex);
    for (const auto &[key, choice] : chosen().all) {
      if (key.first == device) {
        auto line = key.second + ' ' + text(choice);
        take(context, line.data(), line.size());
      }
    }
  });
}
}
