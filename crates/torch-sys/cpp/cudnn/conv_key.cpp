#include "conv_key.h"

#include <algorithm>
#include <tuple>

namespace pt2::cudnn {

namespace {

constexpr int32_t kFloat = 0, kCrossCorrelation = 1, kAdd = 0, kRelu = 100;
// Alignment in bytes that plans assume. libtorch's allocator guarantees it; conv_args.cpp copies
// unaligned tensors.
constexpr int64_t kTensorAlignment = 16;

auto fields(const TensorDesc &shape) { return std::tie(shape.sizes, shape.strides); }

auto fields(const ConvKey &p) {
  return std::tie(p.device, p.type, p.input, p.weight, p.output, p.padding, p.stride, p.dilation, p.bias,
                  p.sum, p.relu, p.tf32, p.deterministic, p.autotune);
}

// With `between`, a value between two operations: it has no memory and is not rounded.
Descriptor tensor(Id id, const TensorDesc &shape, int32_t type, bool between = false) {
  Descriptor made(DescriptorType::Tensor);
  made.set(AttributeName::TensorType, AttributeType::DataType, between ? kFloat : type)
      .set(AttributeName::TensorSizes, AttributeType::Int64, 4, shape.sizes.data())
      .set(AttributeName::TensorStrides, AttributeType::Int64, 4, shape.strides.data())
      .set(AttributeName::TensorId, AttributeType::Int64, static_cast<int64_t>(id))
      .set(AttributeName::TensorAlignment, AttributeType::Int64, kTensorAlignment)
      .set(AttributeName::TensorVirtual, AttributeType::Boolean, between);
  made.finalize();
  return made;
}

Descriptor convolution(const ConvKey &key) {
  Descriptor made(DescriptorType::Convolution);
  made.set(AttributeName::ConvolutionType, AttributeType::DataType, kFloat)
      .set(AttributeName::ConvolutionMode, AttributeType::ConvolutionMode, kCrossCorrelation)
      .set(AttributeName::ConvolutionSpatialDims, AttributeType::Int64, int64_t{2})
      .set(AttributeName::ConvolutionDilations, AttributeType::Int64, 2, key.dilation.data())
      .set(AttributeName::ConvolutionStrides, AttributeType::Int64, 2, key.stride.data())
      .set(AttributeName::ConvolutionPrePaddings, AttributeType::Int64, 2, key.padding.data())
      .set(AttributeName::ConvolutionPostPaddings, AttributeType::Int64, 2, key.padding.data());
  made.finalize();
  return made;
}

// `right` is NULL for an activation.
Descriptor pointwise(int32_t mode, const Descriptor &left, const Descriptor *right,
                     const Descriptor &output) {
  Descriptor how(DescriptorType::Pointwise);
  how.set(AttributeName::PointwiseMode, AttributeType::PointwiseMode, mode)
      .set(AttributeName::PointwisePrecision, AttributeType::DataType, kFloat)
      .finalize();
  Descriptor made(DescriptorType::OperationPointwise);
  made.set(AttributeName::PointwiseDescriptor, how)
      .set(AttributeName::PointwiseLeft, left)
      .set(AttributeName::PointwiseOutput, output);
  if (right) {
    made.set(AttributeName::PointwiseRight, *right);
  }
  made.finalize();
  return made;
}

TensorDesc of_bias(const ConvKey &key) {
  int64_t channels = key.weight.sizes[0];
  return {{1, channels, 1, 1}, {channels, 1, channels, channels}};
}

}  // namespace

TensorDesc TensorDesc::dense(at::IntArrayRef sizes, at::MemoryFormat format) {
  int64_t channels = sizes[1], height = sizes[2], width = sizes[3];
  TensorDesc shape{{sizes[0], channels, height, width},
                   {channels * height * width, height * width, width, 1}};
  if (format == at::MemoryFormat::ChannelsLast) {
    shape.strides = {channels * height * width, 1, width * channels, channels};
  }
  return shape;
}

bool TensorDesc::operator<(const TensorDesc &other) const { return fields(*this) < fields(other); }

bool ConvKey::operator<(const ConvKey &other) const { return fields(*this) < fields(other); }

Descriptor operation_graph(Handle handle, const ConvKey &key) {
  int rest = key.sum + key.bias + key.relu;
  auto next = [&](Id id) {
    bool last = rest-- == 0;
    return tensor(last ? Output : id, key.output, key.type, !last);
  };
  std::vector<Descriptor> kept, operations;
  const float one = 1, zero = 0;
  kept.push_back(next(Convolved));
  Descriptor forward(DescriptorType::ConvolutionForward);
  forward.set(AttributeName::ForwardAlpha, AttributeType::Float, one)
      .set(AttributeName::ForwardBeta, AttributeType::Float, zero)
      .set(AttributeName::ForwardConvolution, convolution(key))
      .set(AttributeName::ForwardInput, tensor(Input, key.input, key.type))
      .set(AttributeName::ForwardWeight, tensor(Weight, key.weight, key.type))
      .set(AttributeName::ForwardOutput, kept.back())
      .finalize();
  operations.push_back(std::move(forward));
  auto add = [&](int32_t mode, const Descriptor *right, Id id) {
    auto output = next(id);
    operations.push_back(pointwise(mode, kept.back(), right, output));
    kept.push_back(std::move(output));
  };
  if (key.sum) {
    auto sum = tensor(Sum, key.output, key.type);
    add(kAdd, &sum, Summed);
  }
  if (key.bias) {
    auto bias = tensor(Bias, of_bias(key), key.type);
    add(kAdd, &bias, Biased);
  }
  if (key.relu) {
    add(kRelu, nullptr, Output);
  }
  std::vector<RawDescriptor> raws;
  for (const auto &operation : operations) raws.push_back(operation.raw());
  Descriptor graph(DescriptorType::OperationGraph);
  graph.set(AttributeName::GraphHandle, AttributeType::Handle, handle)
      .set(AttributeName::GraphOperations, AttributeType::Descriptor, raws)
      .finalize();
  return graph;
}

}  // namespace pt2::cudnn
