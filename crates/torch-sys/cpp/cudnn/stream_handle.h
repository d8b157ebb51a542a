// cuDNN handle of one stream with the plans made for it.
//
// A handle never changes its stream: cuDNN orders the work of the old and the new stream by events,
// which would add one stream to a capture of the other. A plan is executed with its own handle
// only, by one thread at a time: cuDNN guarantees no more than that.
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

  // Returns NULL if the problem has no plan. `make` is called once for each problem.
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

// Locks the handle of the device's current stream for this thread until the scope ends.
class HandleLock {
 public:
  explicit HandleLock(int32_t device);

  StreamHandle *operator->() const { return stream_handle_.get(); }

 private:
  std::shared_ptr<StreamHandle> stream_handle_;
  std::unique_lock<std::mutex> held_;
};

}  // namespace pt2::cudnn
