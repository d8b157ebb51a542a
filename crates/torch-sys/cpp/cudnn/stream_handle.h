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

#include "engine_config.h"

namespace pt2::cudnn {

class StreamHandle {
 public:
  explicit StreamHandle(void *stream);
  StreamHandle(const StreamHandle &) = delete;
  StreamHandle &operator=(const StreamHandle &) = delete;
  ~StreamHandle();

  Handle handle() const { return handle_; }
  void *stream() const { return stream_; }
  std::mutex &turn() { return turn_; }

  // NULL where there is none for the problem. `make` is called once for each problem.
  template <class Make>
  const ExecutionPlan *plan_or(const ConvKey &key, Make &&make) {
    auto found = plans_.find(key);
    if (found == plans_.end()) {
      forget_one();
      found = plans_.emplace(key, Used{make(), 0}).first;
    }
    found->second.last = ++clock_;
    return found->second.plan ? &*found->second.plan : nullptr;
  }

 private:
  struct Used {
    std::optional<ExecutionPlan> plan;
    uint64_t last;
  };

  void forget_one();

  std::mutex turn_;
  void *stream_;
  Handle handle_ = nullptr;
  std::map<ConvKey, Used> plans_;
  uint64_t clock_ = 0;
};

// The lane of the current stream of the current device, for this thread alone until the scope ends.
class HandleLock {
 public:
  explicit HandleLock(int32_t device);

  StreamHandle *operator->() const { return stream_handle_.get(); }

 private:
  std::shared_ptr<StreamHandle> stream_handle_;
  std::unique_lock<std::mutex> held_;
};

}  // namespace pt2::cudnn
