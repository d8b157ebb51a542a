#include "prepacked_weight.h"

#include <ATen/OpaqueTensorImpl.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>
#include <mutex>

#include "../shim.h"
#include "weight_reorder.h"

using at::Tensor;
using pt2::ShimError;

namespace {

thread_local uint64_t prepack_count = 0;

// Returns oneDNN's description of the tensor's layout; empty for libtorch's tensors.
std::string layout_of(const Tensor &ordered) {
  if (!ordered.is_mkldnn()) return {};
  static const auto describe = c10::Dispatcher::singleton()
                                   .findSchemaOrThrow("mkldnn::_get_mkldnn_serialized_md", "")
                                   .typed<Tensor(const Tensor &)>();
  auto bytes = describe.call(ordered);
  return {static_cast<const char *>(bytes.const_data_ptr()), static_cast<size_t>(bytes.nbytes())};
}

// Weight with the oneDNN layouts that calls have needed so far. The best layout depends on the
// input's sizes. From any other, oneDNN reorders in every call, with bit-equal results.
//
// The first call does not keep its layout: a process may run once, and pages that are new to the
// process cost more than the arithmetic. The second call does. Input sizes seen later use an
// existing layout the first time and settle on the best one the second time.
class PrepackedWeight : public c10::intrusive_ptr_target {
 public:
  explicit PrepackedWeight(pt2::ReorderRecipe recipe) : recipe_(std::move(recipe)) {}

  Tensor for_input(at::IntArrayRef sizes) {
    std::unique_lock lock(mutex_);
    if (!called_) {
      called_ = true;
      // A concurrent call may clear the recipe meanwhile.
      const auto recipe = recipe_;
      lock.unlock();
      return recipe.ordered_for(sizes);
    }
    return orders_[order_for(sizes)].weight;
  }

  // Prepares the layouts that another weight has for the input sizes that it settled.
  void follow(PrepackedWeight &other) {
    std::vector<Seen> seen;
    {
      const std::scoped_lock lock(other.mutex_);
      seen = other.seen_;
    }
    const std::scoped_lock lock(mutex_);
    for (const auto &one : seen) {
      if (one.is_settled) remember(one.sizes, settle(one.sizes), true);
      called_ = called_ || one.is_settled;
    }
  }

 private:
  static constexpr size_t MOST_ORDERS = 4, MOST_SIZES = 64;

  struct PackedLayout {
    std::string layout;
    Tensor weight;
  };

  struct Seen {
    std::vector<int64_t> sizes;
    size_t order;
    bool is_settled;
  };

  size_t order_for(at::IntArrayRef sizes) {
    const auto is_it = [&](const Seen &one) { return sizes == one.sizes; };
    const auto found = std::find_if(seen_.begin(), seen_.end(), is_it);
    if (found == seen_.end()) {
      const bool first = orders_.empty();
      return remember(sizes, first ? settle(sizes) : 0, first);
    }
    if (!found->is_settled) {
      found->order = settle(sizes);
      found->is_settled = true;
    }
    return found->order;
  }

  // Returns the index of the layout for these input sizes, which may be new.
  size_t settle(at::IntArrayRef sizes) {
    if (orders_.size() == MOST_ORDERS || !recipe_.weight.defined()) return 0;
    auto weight = recipe_.ordered_for(sizes);
    const auto layout = layout_of(weight);
    ++prepack_count;
    const auto is_it = [&](const PackedLayout &one) { return one.layout == layout; };
    const auto found = std::find_if(orders_.begin(), orders_.end(), is_it);
    const auto number = static_cast<size_t>(found - orders_.begin());
    if (found == orders_.end()) orders_.push_back({layout, std::move(weight)});
    if (recipe_.is_only_copy()) recipe_ = {};
    return number;
  }

  size_t remember(at::IntArrayRef sizes, size_t order, bool is_settled) {
    if (seen_.size() == MOST_SIZES) seen_.erase(seen_.begin());
    seen_.push_back({sizes.vec(), order, is_settled});
    return order;
  }

  std::mutex mutex_;
  pt2::ReorderRecipe recipe_;
  bool called_ = false;
  std::vector<PackedLayout> orders_;
  std::vector<Seen> seen_;
};

// Opaque tensor, which only this file can read.
using Opaque = at::OpaqueTensorImpl<c10::intrusive_ptr<PrepackedWeight>>;

PrepackedWeight *within(const Tensor &tensor) {
  auto *opaque = dynamic_cast<Opaque *>(tensor.unsafeGetTensorImpl());
  return opaque ? opaque->opaque_handle().get() : nullptr;
}

Tensor convolution_weight(const Tensor &self, const std::optional<Tensor> &factors, at::IntArrayRef padding,
                          at::IntArrayRef stride, at::IntArrayRef dilation, int64_t groups) {
  pt2::ReorderRecipe recipe{self, factors, padding.vec(), stride.vec(), dilation.vec(), groups};
  recipe.check();
  auto weight = c10::make_intrusive<PrepackedWeight>(std::move(recipe));
  return at::detail::make_tensor<Opaque>(at::DispatchKeySet(at::DispatchKey::MkldnnCPU), self.dtype(),
                                         self.device(), std::move(weight), self.sizes());
}

Tensor ordered_weight(const Tensor &weight, const Tensor &input) {
  auto *held = within(weight);
  TORCH_CHECK(held, "the weight is not one of pt2::convolution_weight");
  return held->for_input(input.sizes());
}

}  // namespace

uint64_t pt2::prepack_count() noexcept { return ::prepack_count; }

pt2::Family pt2::convolution_weights() {
  return {
      {"pt2::convolution_weight(Tensor self, Tensor? factors, int[] padding, int[] stride, int[] dilation, "
       "int groups) -> Tensor",
       boxed<convolution_weight>},
      {"pt2::ordered_weight(Tensor weight, Tensor input) -> Tensor", boxed<ordered_weight>},
  };
}

// Does nothing to tensors of any other kind.
extern "C" ShimError *shim_tensor_copy_prepacking(const Tensor *tensor, const Tensor *other) noexcept {
  return pt2::guarded([&] {
    auto *to = within(*tensor), *from = within(*other);
    if (to && from && to != from) to->follow(*from);
  });
}
