// Descriptor of cuDNN's backend interface: its attributes are set, then it is finalized and
// read-only.
#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include "backend_api.h"

namespace pt2::cudnn {

class Descriptor {
 public:
  explicit Descriptor(DescriptorType kind);

  RawDescriptor raw() const { return raw_.get(); }

  template <class Value>
  Descriptor &set(AttributeName name, AttributeType type, const Value &value) {
    return set(name, type, 1, &value);
  }
  template <class Value>
  Descriptor &set(AttributeName name, AttributeType type, const std::vector<Value> &values) {
    return set(name, type, static_cast<int64_t>(values.size()), values.data());
  }
  Descriptor &set(AttributeName name, const Descriptor &other);
  Descriptor &set(AttributeName name, AttributeType type, int64_t count, const void *values);

  // Returns false if cuDNN rejects the attributes.
  bool try_finalize();
  Descriptor &finalize();

  template <class Value>
  std::vector<Value> get(AttributeName name, AttributeType type, size_t most) const {
    std::vector<Value> values(most);
    values.resize(get(name, type, most, values.data()));
    return values;
  }

  // cuDNN writes descriptors into existing ones, so `most` are created first.
  std::vector<Descriptor> get(AttributeName name, DescriptorType kind, size_t most) const;

 private:
  size_t get(AttributeName name, AttributeType type, size_t room, void *values) const;

  struct Free {
    void operator()(RawDescriptor raw) const { library()->free(raw); }
  };
  std::unique_ptr<void, Free> raw_;
};

}  // namespace pt2::cudnn
