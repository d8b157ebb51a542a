#include "lane.h"

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

class Lanes {
 public:
  std::shared_ptr<Lane> of(int32_t device, void *stream) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = all_.find({device, stream});
    if (found == all_.end()) {
      // Who still has its turn in a lane that is forgotten keeps it until then.
      cudnn::forget_one(all_, kMostLanes);
      found = all_.emplace(std::make_pair(device, stream), Used{std::make_shared<Lane>(stream), 0}).first;
    }
    found->second.last = ++clock_;
    return found->second.lane;
  }

 private:
  struct Used {
    std::shared_ptr<Lane> lane;
    uint64_t last;
  };

  std::mutex mutex_;
  std::map<std::pair<int32_t, void *>, Used> all_;
  uint64_t clock_ = 0;
};

Lanes &lanes() {
  // Outlive every model, also one that a host frees while the process ends.
  static auto *all = new Lanes;
  return *all;
}

}  // namespace

Lane::Lane(void *stream) : stream_(stream) {
  check(library()->create(&handle_), "making a handle");
  check(library()->set_stream(handle_, stream), "choosing a stream");
}

Lane::~Lane() {
  // They know the handle.
  plans_.clear();
  library()->destroy(handle_);
}

void Lane::forget_one() { cudnn::forget_one(plans_, kMostPlans); }

Turn::Turn(int32_t device) : lane_(lanes().of(device, current_stream(device))), held_(lane_->turn()) {}

}  // namespace pt2::cudnn
