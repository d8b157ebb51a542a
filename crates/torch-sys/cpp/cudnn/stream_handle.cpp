#include "stream_handle.h"

#include <algorithm>

#include "../stream.h"

namespace pt2::cudnn {

namespace {

// Programs whose every call has new sizes, and callers whose every call comes on a new stream, must not grow
// without bound.
constexpr size_t kMostPlans = 1024, kMostLanes = 64;

template <class Map>
void forget_one(Map &map, size_t most) {
  if (map.size() >= most) {
    auto earlier = [](const auto &left, const auto &right) { return left.second.last < right.second.last; };
    map.erase(std::min_element(map.begin(), map.end(), earlier));
  }
}

class HandleCache {
 public:
  std::shared_ptr<StreamHandle> of(int32_t device, void *stream) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = all_.find({device, stream});
    if (found == all_.end()) {
      // Who still has its turn in a lane that is forgotten keeps it until then.
      cudnn::forget_one(all_, kMostLanes);
      found =
          all_.emplace(std::make_pair(device, stream), Used{std::make_shared<StreamHandle>(stream), 0}).first;
    }
    found->second.last = ++clock_;
    return found->second.stream_handle;
  }

 private:
  struct Used {
    std::shared_ptr<StreamHandle> stream_handle;
    uint64_t last;
  };

  std::mutex mutex_;
  std::map<std::pair<int32_t, void *>, Used> all_;
  uint64_t clock_ = 0;
};

HandleCache &lanes() {
  // Outlive every model, also one that a host frees while the process ends.
  static auto *all = new HandleCache;
  return *all;
}

}  // namespace

StreamHandle::StreamHandle(void *stream) : stream_(stream) {
  check(library()->create(&handle_), "making a handle");
  check(library()->set_stream(handle_, stream), "choosing a stream");
}

StreamHandle::~StreamHandle() {
  // They know the handle.
  plans_.clear();
  library()->destroy(handle_);
}

void StreamHandle::forget_one() { cudnn::forget_one(plans_, kMostPlans); }

HandleLock::HandleLock(int32_t device)
    : stream_handle_(lanes().of(device, current_stream(device))), held_(stream_handle_->turn()) {}

}  // namespace pt2::cudnn
