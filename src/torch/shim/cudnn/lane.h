// A handle of cuDNN for one stream, with the plans that were made for it.
//
// A handle never changes its stream: cuDNN orders the work of the old and the new one by events, which would
// pull one stream into what is being recorded on the other. And a plan is executed with no other handle, by
// one thread at a time, which is all that cuDNN promises to work.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "choice.h"

namespace pt2::cudnn {

class Lane {
 public:
  explicit Lane(void *stream);
  Lane(const Lane &) = delete;
  Lane &operator=(const Lane &) = delete;
  ~Lane();

  Handle handle() const { return handle_; }
  void *stream() const { return stream_; }
  std::mutex &turn() { return turn_; }

  // NULL where there is none for the problem. `make` is called once for each problem.
  template <class Make>
  const Plan *plan_or(const Problem &problem, Make &&make) {
    auto found = plans_.find(problem);
    if (found == plans_.end()) {
      forget_one();
      found = plans_.emplace(problem, Used{make(), 0}).first;
    }
    found->second.last = ++clock_;
    return found->second.plan ? &*found->second.plan : nullptr;
  }

 private:
  struct Used {
    std::optional<Plan> plan;
    uint64_t last;
  };

  void forget_one();

  std::mutex turn_;
  void *stream_;
  Handle handle_ = nullptr;
  std::map<Problem, Used> plans_;
  uint64_t clock_ = 0;
};

// The lane of the current stream of the current device, for this thread alone until the scope ends.
class Turn {
 public:
  explicit Turn(int32_t device);

  Lane *operator->() const { return lane_.get(); }

 private:
  std::shared_ptr<Lane> lane_;
  std::unique_lock<std::mutex> held_;
};

}  // namespace pt2::cudnn
