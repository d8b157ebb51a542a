#include "descriptor.h"

#include <algorithm>

namespace pt2::cudnn {

Descriptor::Descriptor(DescriptorType kind) {
  RawDescriptor raw = nullptr;
  check(library()->make(kind, &raw), "making a descriptor");
  raw_.reset(raw);
}

Descriptor &Descriptor::set(AttributeName name, AttributeType type, int64_t count, const void *values) {
  check(library()->set(raw(), name, type, count, values), "setting an attribute");
  return *this;
}

Descriptor &Descriptor::set(AttributeName name, const Descriptor &other) {
  RawDescriptor value = other.raw();
  return set(name, AttributeType::Descriptor, 1, &value);
}

bool Descriptor::try_finalize() { return library()->finalize(raw()) == 0; }

Descriptor &Descriptor::finalize() {
  check(library()->finalize(raw()), "finalizing a descriptor");
  return *this;
}

size_t Descriptor::get(AttributeName name, AttributeType type, size_t room, void *values) const {
  int64_t count = 0;
  check(library()->get(raw(), name, type, static_cast<int64_t>(room), &count, values),
        "reading an attribute");
  return std::min(room, static_cast<size_t>(std::max<int64_t>(count, 0)));
}

std::vector<Descriptor> Descriptor::get(AttributeName name, DescriptorType kind, size_t most) const {
  std::vector<Descriptor> all;
  std::vector<RawDescriptor> raws;
  for (size_t i = 0; i < most; ++i) {
    raws.push_back(all.emplace_back(kind).raw());
  }
  size_t count = get(name, AttributeType::Descriptor, most, raws.data());
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
  return all;
}

}  // namespace pt2::cudnn
