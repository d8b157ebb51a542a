#include "stream_handle.h"

#include <algorithm>

#include "../stream.h"

namespace pt2::cudnn {

namespace {

// Bounds for programs with new sizes in every call and callers with a new stream in every call.
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
      // A thread that holds the lock of an evicted handle keeps the handle alive until it is done.
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
  // Leaked: models may be freed while the process exits.
  static auto *all = new HandleCache;
  return *all;
}

}  // namespace

StreamHandle::StreamHandle(void *stream) : stream_(stream) {
  check(library()->create(&handle_), "making a handle");
  check(library()->set_stream(handle_, stream), "choosing a stream");
}

StreamHandle::~StreamHandle() {
  // Plans refer to the handle, so they are destroyed first.
  plans_.clear();
  library()->destroy(handle_);
}

void StreamHandle::forget_one() { cudnn::forget_one(plans_, kMostPlans); }

HandleLock::HandleLock(int32_t device)
    : stream_handle_(lanes().of(device, current_stream(device))), held_(stream_handle_->turn()) {}

}  // namespace pt2::cudnn
