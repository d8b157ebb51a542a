#include "problem.h"

#include <algorithm>
#include <tuple>

namespace pt2::cudnn {

namespace {

constexpr int32_t kFloat = 0, kCrossCorrelation = 1, kAdd = 0, kRelu = 100;
// What libtorch's allocator gives, and what a tensor at an offset must have to be taken (convolution.cpp).
constexpr int64_t kAlignment = 16;

auto key(const Shape &shape) { return std::tie(shape.sizes, shape.strides); }

auto key(const Problem &p) {
  return std::tie(p.device, p.type, p.input, p.weight, p.output, p.padding, p.stride, p.dilation, p.bias,
                  p.sum, p.relu, p.tf32, p.deterministic, p.tuned);
}

// A value between two operations has no memory, and is not rounded to the tensors' type.
Descriptor tensor(Id id, const Shape &shape, int32_t type, bool between = false) {
  Descriptor made(Kind::Tensor);
  made.set(Name::TensorType, Type::DataType, between ? kFloat : type)
      .set(Name::TensorSizes, Type::Int64, 4, shape.sizes.data())
      .set(Name::TensorStrides, Type::Int64, 4, shape.strides.data())
      .set(Name::TensorId, Type::Int64, static_cast<int64_t>(id))
      .set(Name::TensorAlignment, Type::Int64, kAlignment)
      .set(Name::TensorVirtual, Type::Boolean, between);
  made.finalize();
  return made;
}

Descriptor convolution(const Problem &problem) {
  Descriptor made(Kind::Convolution);
  made.set(Name::ConvolutionType, Type::DataType, kFloat)
      .set(Name::ConvolutionMode, Type::ConvolutionMode, kCrossCorrelation)
      .set(Name::ConvolutionSpatialDims, Type::Int64, int64_t{2})
      .set(Name::ConvolutionDilations, Type::Int64, 2, problem.dilation.data())
      .set(Name::ConvolutionStrides, Type::Int64, 2, problem.stride.data())
      .set(Name::ConvolutionPrePaddings, Type::Int64, 2, problem.padding.data())
      .set(Name::ConvolutionPostPaddings, Type::Int64, 2, problem.padding.data());
  made.finalize();
  return made;
}

// `right` is NULL for an activation.
Descriptor pointwise(int32_t mode, const Descriptor &left, const Descriptor *right,
                     const Descriptor &output) {
  Descriptor how(Kind::Pointwise);
  how.set(Name::PointwiseMode, Type::PointwiseMode, mode)
      .set(Name::PointwisePrecision, Type::DataType, kFloat)
      .finalize();
  Descriptor made(Kind::OperationPointwise);
  made.set(Name::PointwiseDescriptor, how).set(Name::PointwiseLeft, left).set(Name::PointwiseOutput, output);
  if (right) {
    made.set(Name::PointwiseRight, *right);
  }
  made.finalize();
  return made;
}

Shape of_bias(const Problem &problem) {
  int64_t channels = problem.weight.sizes[0];
  return {{1, channels, 1, 1}, {channels, 1, channels, channels}};
}

}  // namespace

Shape Shape::dense(at::IntArrayRef sizes, at::MemoryFormat format) {
  int64_t channels = sizes[1], height = sizes[2], width = sizes[3];
  Shape shape{{sizes[0], channels, height, width}, {channels * height * width, height * width, width, 1}};
  if (format == at::MemoryFormat::ChannelsLast) {
    shape.strides = {channels * height * width, 1, width * channels, channels};
  }
  return shape;
}

bool Shape::operator<(const Shape &other) const { return key(*this) < key(other); }

bool Problem::operator<(const Problem &other) const { return key(*this) < key(other); }

Descriptor operation_graph(Handle handle, const Problem &problem) {
  int rest = problem.sum + problem.bias + problem.relu;
  auto next = [&](Id id) {
    bool last = rest-- == 0;
    return tensor(last ? Output : id, problem.output, problem.type, !last);
  };
  std::vector<Descriptor> kept, operations;
  const float one = 1, zero = 0;
  kept.push_back(next(Convolved));
  Descriptor forward(Kind::ConvolutionForward);
  forward.set(Name::ForwardAlpha, Type::Float, one)
      .set(Name::ForwardBeta, Type::Float, zero)
      .set(Name::ForwardConvolution, convolution(problem))
      .set(Name::ForwardInput, tensor(Input, problem.input, problem.type))
      .set(Name::ForwardWeight, tensor(Weight, problem.weight, problem.type))
      .set(Name::ForwardOutput, kept.back())
      .finalize();
  operations.push_back(std::move(forward));
  auto add = [&](int32_t mode, const Descriptor *right, Id id) {
    auto output = next(id);
    operations.push_back(pointwise(mode, kept.back(), right, output));
    kept.push_back(std::move(output));
  };
  if (problem.sum) {
    auto sum = tensor(Sum, problem.output, problem.type);
    add(kAdd, &sum, Summed);
  }
  if (problem.bias) {
    auto bias = tensor(Bias, of_bias(problem), problem.type);
    add(kAdd, &bias, Biased);
  }
  if (problem.relu) {
    add(kRelu, nullptr, Output);
  }
  std::vector<RawDescriptor> raws;
  for (const auto &operation : operations) raws.push_back(operation.raw());
  Descriptor graph(Kind::OperationGraph);
  graph.set(Name::GraphHandle, Type::Handle, handle)
      .set(Name::GraphOperations, Type::Descriptor, raws)
      .finalize();
  return graph;
}

}  // namespace pt2::cudnn
