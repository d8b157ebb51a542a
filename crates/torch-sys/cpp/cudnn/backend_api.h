// cuDNN's backend interface. libtorch_cuda loads the library; libpt2 looks it up and neither links
// it nor needs its headers. The numbers are those of cudnn_graph_v9.h (9.19), which cuDNN keeps
// within a major version.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pt2::cudnn {

using Handle = void *;
using RawDescriptor = void *;

// cudnnBackendDescriptorType_t
enum class DescriptorType : int32_t {
  Pointwise = 0,
  Convolution = 1,
  Engine = 2,
  EngineConfig = 3,
  Heuristics = 4,
  ExecutionPlan = 5,
  KnobChoice = 7,
  ConvolutionForward = 10,
  OperationPointwise = 13,
  OperationGraph = 15,
  VariantPack = 16,
  Tensor = 17,
};

// cudnnBackendAttributeName_t
enum class AttributeName : int32_t {
  PointwiseMode = 0,
  PointwisePrecision = 1,
  ConvolutionType = 100,
  ConvolutionMode = 101,
  ConvolutionDilations = 102,
  ConvolutionStrides = 103,
  ConvolutionPostPaddings = 104,
  ConvolutionPrePaddings = 105,
  ConvolutionSpatialDims = 106,
  HeuristicsMode = 200,
  HeuristicsGraph = 201,
  HeuristicsResults = 202,
  ConfigEngine = 300,
  ConfigKnobs = 302,
  PlanHandle = 400,
  PlanConfig = 401,
  PlanWorkspace = 402,
  KnobType = 600,
  KnobValue = 601,
  ForwardAlpha = 700,
  ForwardBeta = 701,
  ForwardConvolution = 702,
  ForwardWeight = 703,
  ForwardInput = 704,
  ForwardOutput = 705,
  PointwiseDescriptor = 750,
  PointwiseLeft = 751,
  PointwiseRight = 752,
  PointwiseOutput = 753,
  GraphHandle = 800,
  GraphOperations = 801,
  TensorAlignment = 900,
  TensorType = 901,
  TensorSizes = 902,
  TensorStrides = 903,
  TensorId = 906,
  TensorVirtual = 907,
  PackIds = 1000,
  PackPointers = 1001,
  PackWorkspace = 1003,
  EngineGraph = 1300,
  EngineIndex = 1301,
  EngineNumerics = 1303,
  EngineBehavior = 1305,
};

// cudnnBackendAttributeType_t
enum class AttributeType : int32_t {
  Handle = 0,
  DataType = 1,
  Boolean = 2,
  Int64 = 3,
  Float = 4,
  Pointer = 6,
  ConvolutionMode = 7,
  HeuristicsMode = 8,
  KnobType = 9,
  NumericalNote = 11,
  PointwiseMode = 14,
  Descriptor = 15,
  BehaviorNote = 19,
};

struct BackendApi {
  size_t (*version)();
  const char *(*error_text)(int status);
  int (*create)(Handle *handle);
  int (*destroy)(Handle handle);
  int (*set_stream)(Handle handle, void *stream);
  int (*make)(DescriptorType kind, RawDescriptor *descriptor);
  int (*free)(RawDescriptor descriptor);
  int (*set)(RawDescriptor descriptor, AttributeName name, AttributeType type, int64_t count,
             const void *values);
  int (*get)(RawDescriptor descriptor, AttributeName name, AttributeType type, int64_t room, int64_t *count,
             void *values);
  int (*finalize)(RawDescriptor descriptor);
  int (*execute)(Handle handle, RawDescriptor plan, RawDescriptor pack);
};

// Returns this process's cuDNN, or NULL if it has none or one of another major version.
const BackendApi *library();

// Throws cuDNN's message for a status that is not success.
void check(int status, const char *doing);

}  // namespace pt2::cudnn
