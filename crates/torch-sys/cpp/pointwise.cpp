// Pointwise arithmetic on tensors, in blocks that fit the nearest cache.
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "shim.h"

using pt2::Arithmetic;
using pt2::Frame;
using pt2::PointwiseOperand;
using pt2::PointwiseSource;
using pt2::PointwiseStep;
using pt2::ShimError;

namespace pt2 {

struct Pointwise {
  std::vector<PointwiseStep> steps;
  size_t registers;
};

}  // namespace pt2

using pt2::Pointwise;

namespace {

constexpr size_t MOST = 16;
using Tensors = c10::ArrayRef<const at::Tensor *>;
constexpr int64_t BLOCK = 512;
// Below this many elements a thread costs more than it saves.
constexpr int64_t GRAIN = 1 << 15;

// Elements of an operand, or one constant for all of them.
struct Elements {
  const float *data;
  float constant;
};

// Three loops instead of one, so that each is vectorised. The result may alias an operand: each
// element depends on its own position only.
template <class Compute>
void each(const Elements &left, const Elements &right, float *to, int64_t count, Compute compute) {
  if (left.data && right.data) {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) to[i] = compute(left.data[i], right.data[i]);
  } else if (left.data) {
    const float constant = right.constant;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) to[i] = compute(left.data[i], constant);
  } else if (right.data) {
    const float constant = left.constant;
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) to[i] = compute(constant, right.data[i]);
  } else {
    std::fill(to, to + count, compute(left.constant, right.constant));
  }
}

void compute(Arithmetic arithmetic, const Elements &left, const Elements &right, float *to, int64_t count) {
  switch (arithmetic) {
    case Arithmetic::Add:
      return each(left, right, to, count, [](float a, float b) { return a + b; });
    case Arithmetic::Sub:
      return each(left, right, to, count, [](float a, float b) { return a - b; });
    case Arithmetic::Mul:
      return each(left, right, to, count, [](float a, float b) { return a * b; });
    case Arithmetic::Div:
      return each(left, right, to, count, [](float a, float b) { return a / b; });
    case Arithmetic::Neg:
      return each(left, right, to, count, [](float a, float) { return -a; });
    case Arithmetic::Relu:
      return each(left, right, to, count, [](float a, float) { return a < 0 ? 0.0f : a; });
    case Arithmetic::Sqrt:
      return each(left, right, to, count, [](float a, float) { return std::sqrt(a); });
    default:
      return each(left, right, to, count, [](float a, float) { return std::fabs(a); });
  }
}

// Computes elements `begin` to `end` block by block; the last step writes to the output.
void run(const Pointwise &program, const float *const *inputs, float *output, int64_t begin, int64_t end) {
  constexpr size_t FEW = 8;
  float few[FEW * BLOCK];
  std::unique_ptr<float[]> many;
  float *registers = few;
  if (program.registers > FEW) {
    many.reset(new float[program.registers * BLOCK]);
    registers = many.get();
  }
  for (int64_t at = begin; at < end; at += BLOCK) {
    const int64_t count = std::min(BLOCK, end - at);
    const auto elements = [&](const PointwiseOperand &operand) -> Elements {
      return {operand.kind == PointwiseSource::Input      ? inputs[operand.index] + at
              : operand.kind == PointwiseSource::Register ? registers + operand.index * BLOCK
                                                          : nullptr,
              operand.constant};
    };
    for (const auto &step : program.steps) {
      float *to = &step == &program.steps.back() ? output + at : registers + step.to * BLOCK;
      compute(step.arithmetic, elements(step.left), elements(step.right), to, count);
    }
  }
}

// Returns true if libtorch's arithmetic may give a dimension of size one another stride than one
// fused call does. That stride depends on whether numbers are among the operands. Convolutions and
// pooling choose a memory format by it. The outermost dimension keeps its stride if that spans the
// whole tensor.
bool is_ambiguous(const at::Tensor &tensor) {
  int64_t dense = 1;
  bool single = false, contiguous = true;
  for (int64_t dim = tensor.dim() - 1; dim >= 0; --dim) {
    contiguous = contiguous && tensor.stride(dim) == dense;
    single = single || (tensor.size(dim) == 1 && (dim > 0 || tensor.stride(dim) != dense));
    dense *= std::max<int64_t>(tensor.size(dim), 1);
  }
  return single && !contiguous;
}

bool fits(const c10::IValue &value, const at::Tensor *first) {
  if (!value.isTensor()) return false;
  const at::Tensor &tensor = value.toTensor();
  return tensor.defined() && tensor.scalar_type() == at::kFloat && tensor.is_cpu() &&
         tensor.layout() == at::kStrided && !tensor.is_neg() && !is_ambiguous(tensor) &&
         (!first || tensor.sizes() == first->sizes());
}

bool is_short_row(const at::Tensor &tensor) { return tensor.numel() <= GRAIN && tensor.is_contiguous(); }

at::Tensor run_alone(const Pointwise &program, Tensors tensors) {
  at::Tensor output = at::empty(tensors.front()->sizes(), tensors.front()->options());
  const float *inputs[MOST];
  for (size_t i = 0; i < tensors.size(); ++i) inputs[i] = tensors[i]->const_data_ptr<float>();
  run(program, inputs, output.mutable_data_ptr<float>(), 0, output.numel());
  return output;
}

// Runs in libtorch's threads: at::parallel_for would be compiled into libpt2, with a second OpenMP
// or none, whereas libtorch's iterator is compiled into libtorch. The result has the strides of
// libtorch's own arithmetic. Returns an undefined tensor if the operands' strides differ.
at::Tensor run_in_parallel(const Pointwise &program, Tensors tensors) {
  at::TensorIteratorConfig config;
  config.add_owned_output(at::Tensor());
  for (const auto *tensor : tensors) config.add_const_input(*tensor);
  auto iterator = config.build();
  if (!iterator.is_contiguous()) return {};
  const float *inputs[MOST];
  for (size_t i = 0; i < tensors.size(); ++i)
    inputs[i] = static_cast<const float *>(iterator.data_ptr(i + 1));
  auto *output = static_cast<float *>(iterator.data_ptr(0));
  iterator.for_each(
      [&](char **data, const int64_t *, int64_t columns, int64_t rows) {
        const int64_t begin = reinterpret_cast<float *>(*data) - output;
        run(program, inputs, output, begin, begin + columns * rows);
      },
      GRAIN);
  return iterator.output();
}

}  // namespace

extern "C" {

ShimError *shim_pointwise_new(const PointwiseStep *steps, size_t count, size_t registers,
                              Pointwise **out) noexcept {
  return pt2::caught([&] { *out = new Pointwise{{steps, steps + count}, registers}; });
}

// noexcept: destructors do not throw.
void shim_pointwise_free(Pointwise *pointwise) noexcept { delete pointwise; }

// Called inside a Scope. Writes false to `done` and changes nothing if the tensors are of another
// kind.
ShimError *shim_pointwise_run(const Pointwise *pointwise, Frame *frame, const uint32_t *slots, size_t count,
                              uint32_t to, bool *done) noexcept {
  return pt2::caught([&] {
    *done = false;
    if (count == 0 || count > MOST) return;
    c10::SmallVector<const at::Tensor *, MOST> tensors;
    for (size_t i = 0; i < count; ++i) {
      const auto &value = frame->slots[slots[i]];
      if (!fits(value, i ? tensors.front() : nullptr)) return;
      tensors.push_back(&value.toTensor());
    }
    const auto is_short = [](auto *tensor) { return is_short_row(*tensor); };
    const bool alone = std::all_of(tensors.begin(), tensors.end(), is_short);
    at::Tensor output = alone ? run_alone(*pointwise, tensors) : run_in_parallel(*pointwise, tensors);
    if (!output.defined()) return;
    frame->slots[to] = std::move(output);
    *done = true;
  });
}
}
