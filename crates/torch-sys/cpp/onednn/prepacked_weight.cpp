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

// oneDNN's own description of how a tensor of its lies in memory; empty for libtorch's.
std::string layout_of(const Tensor &ordered) {
  if (!ordered.is_mkldnn()) return {};
  static const auto describe = c10::Dispatcher::singleton()
                                   .findSchemaOrThrow("mkldnn::_get_mkldnn_serialized_md", "")
                                   .typed<Tensor(const Tensor &)>();
  auto bytes = describe.call(ordered);
  return {static_cast<const char *>(bytes.const_data_ptr()), static_cast<size_t>(bytes.nbytes())};
}

// A weight with the orders of it that calls needed so far. Which order oneDNN computes with depends on the
// sizes of the input, and from any other it reorders in every call: the result is the same, bit for bit.
//
// The first call does not keep its order: memory that is new to the process costs more than the arithmetic,
// and a process may run once. The second does. Sizes that come for the first time after that make do with
// what there is, for they may never come again; when they do, they get an order of their own if none of those
// is theirs.
class PrepackedWeight : public c10::intrusive_ptr_target {
 public:
  explicit PrepackedWeight(pt2::ReorderRecipe recipe) : recipe_(std::move(recipe)) {}

  Tensor for_input(at::IntArrayRef sizes) {
    std::unique_lock lock(mutex_);
    if (!called_) {
      called_ = true;
      // Who comes second may be done with the recipe earlier.
      const auto recipe = recipe_;
      lock.unlock();
      return recipe.ordered_for(sizes);
    }
    return orders_[order_for(sizes)].weight;
  }

  // Keeps the orders that another weight has for the sizes it was called with.
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

  // The number of the order for these sizes, which may be a new one.
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

// Passed around as a tensor that only this file understands.
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
