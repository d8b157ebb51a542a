#include <ATen/ScalarOps.h>
#include <ATen/core/jit_type.h>

#include <memory>
#include <optional>

#include "alignment.h"
#include "checks/argument_checks.h"
#include "operator.h"
#include "shim.h"

using c10::IValue;
using c10::TypeKind;
using c10::TypePtr;
using pt2::CallOperand;
using pt2::Frame;
using pt2::guarded;
using pt2::NamedOperand;
using pt2::OperandTag;
using pt2::ReturnSlot;
using pt2::ShimError;

namespace pt2 {

// Source of one argument of a bound call: a constant, a slot, or a list with slots in it.
struct ArgumentSource {
  enum Kind { Constant, FromSlot, FromList } kind = Constant;
  uint32_t slot = 0;
  IValue constant;
  TypePtr type;
  // False if the slot's type needs no conversion to the schema's.
  bool convert = false;
  std::vector<ArgumentSource> items;
};

struct Target {
  std::vector<uint32_t> slots;
  bool list;
};

}  // namespace pt2

using pt2::ArgumentSource;
using pt2::Target;

namespace {

TypePtr unwrap(const TypePtr &type) {
  return type->kind() == TypeKind::OptionalType ? type->expectRef<c10::OptionalType>().getElementType()
                                                : type;
}

at::Tensor number_as_tensor(const IValue &value) {
  auto tensor = at::scalar_to_tensor(value.toScalar());
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

// Python's argument parser accepts a number for a tensor and an int for a float; the boxed call
// does not.
IValue convert(const IValue &value, const TypePtr &type) {
  switch (type->kind()) {
    case TypeKind::TensorType:
      return value.isScalar() ? IValue(number_as_tensor(value)) : value;
    case TypeKind::FloatType:
      return value.isInt()      ? IValue(static_cast<double>(value.toInt()))
             : value.isBool()   ? IValue(static_cast<double>(value.toBool()))
             : value.isTensor() ? IValue(value.toTensor().item().toDouble())
                                : value;
    case TypeKind::IntType:
      return value.isBool()     ? IValue(static_cast<int64_t>(value.toBool()))
             : value.isTensor() ? IValue(value.toTensor().item().toLong())
                                : value;
    case TypeKind::BoolType:
      return value.isTensor() ? IValue(value.toTensor().item().toBool()) : value;
    case TypeKind::NumberType:
      return value.isTensor() ? IValue(value.toTensor().item()) : value;
    default:
      return value;
  }
}

IValue typed_list(const TypePtr &element, std::vector<IValue> &&items) {
  switch (element->kind()) {
    case TypeKind::TensorType: {
      c10::List<at::Tensor> list;
      list.reserve(items.size());
      for (auto &item : items) list.push_back(std::move(item).toTensor());
      return list;
    }
    case TypeKind::IntType: {
      c10::List<int64_t> list;
      list.reserve(items.size());
      for (auto &item : items) list.push_back(item.toInt());
      return list;
    }
    case TypeKind::FloatType: {
      c10::List<double> list;
      list.reserve(items.size());
      for (auto &item : items) list.push_back(item.toDouble());
      return list;
    }
    case TypeKind::BoolType: {
      c10::List<bool> list;
      list.reserve(items.size());
      for (auto &item : items) list.push_back(item.toBool());
      return list;
    }
    default: {
      c10::impl::GenericList list(element);
      list.reserve(items.size());
      for (auto &item : items) list.push_back(std::move(item));
      return IValue(list);
    }
  }
}

IValue constant_of(const CallOperand &operand) {
  switch (operand.tag) {
    case OperandTag::None:
      return IValue();
    case OperandTag::Bool:
      return operand.integer != 0;
    case OperandTag::Int:
      return operand.integer;
    case OperandTag::Float:
      return operand.real;
    case OperandTag::Complex:
      return c10::complex<double>(operand.real, operand.imaginary);
    case OperandTag::String:
      return std::string(operand.text, operand.length);
    case OperandTag::Device:
      return pt2::device_of(static_cast<int32_t>(operand.slot), static_cast<int32_t>(operand.integer));
    default:
      TORCH_CHECK(false, "argument kind ", static_cast<int32_t>(operand.tag), " has no constant form");
  }
}

ArgumentSource prepare(const CallOperand &operand, const TypePtr &declared, std::optional<int32_t> repeat,
                       int depth);

ArgumentSource prepare_list(const CallOperand &operand, const TypePtr &element, int depth) {
  ArgumentSource source;
  source.type = element;
  bool constant = true;
  for (size_t i = 0; i < operand.length; ++i) {
    source.items.push_back(prepare(operand.items[i], element, std::nullopt, depth + 1));
    constant = constant && source.items.back().kind == ArgumentSource::Constant;
  }
  if (!constant) {
    source.kind = ArgumentSource::FromList;
    return source;
  }
  std::vector<IValue> items;
  for (auto &item : source.items) items.push_back(std::move(item.constant));
  source.constant = typed_list(element, std::move(items));
  source.items.clear();
  return source;
}

ArgumentSource prepare(const CallOperand &operand, const TypePtr &declared, std::optional<int32_t> repeat,
                       int depth) {
  TORCH_CHECK(depth < 8, "lists nested more than 8 deep");
  TypePtr type = unwrap(declared);
  if (type->kind() == TypeKind::ListType && operand.tag != OperandTag::None &&
      operand.tag != OperandTag::Slot) {
    auto element = type->expectRef<c10::ListType>().getElementType();
    if (operand.tag == OperandTag::List) {
      return prepare_list(operand, element, depth);
    }
    // `int[2] stride` accepts a single number for all of its elements.
    TORCH_CHECK(repeat, "expected a list");
    std::vector<CallOperand> items(static_cast<size_t>(*repeat), operand);
    CallOperand spread{OperandTag::List, 0, 0, 0, 0, nullptr, items.size(), items.data()};
    return prepare_list(spread, element, depth);
  }
  TORCH_CHECK(operand.tag != OperandTag::List, "a list where the operator takes ",
              declared->annotation_str());
  ArgumentSource source;
  source.type = type;
  if (operand.tag == OperandTag::Slot) {
    source.kind = ArgumentSource::FromSlot;
    source.slot = operand.slot;
    auto kind = type->kind();
    source.convert = kind == TypeKind::TensorType || kind == TypeKind::FloatType ||
                     kind == TypeKind::IntType || kind == TypeKind::BoolType || kind == TypeKind::NumberType;
    return source;
  }
  bool optional = declared->kind() == TypeKind::OptionalType || type->kind() == TypeKind::TensorType ||
                  type->kind() == TypeKind::NoneType || type->kind() == TypeKind::AnyType;
  TORCH_CHECK(operand.tag != OperandTag::None || optional, "None where the operator takes ",
              declared->annotation_str());
  // Python's None stands for an undefined tensor where the schema has no optional one.
  const bool undefined = operand.tag == OperandTag::None && declared->kind() == TypeKind::TensorType;
  source.constant = undefined ? IValue(at::Tensor()) : convert(constant_of(operand), type);
  if (operand.tag != OperandTag::None && type->kind() != TypeKind::TensorType) {
    TORCH_CHECK(source.constant.type()->isSubtypeOf(*type) || type->kind() == TypeKind::NumberType,
                source.constant.type()->annotation_str(), " where the operator takes ",
                declared->annotation_str());
  }
  return source;
}

IValue value_of(const ArgumentSource &source, const std::vector<IValue> &slots) {
  switch (source.kind) {
    case ArgumentSource::Constant:
      return source.constant;
    case ArgumentSource::FromSlot: {
      const auto &value = slots[source.slot];
      return source.convert ? convert(value, source.type) : value;
    }
    default: {
      std::vector<IValue> items;
      items.reserve(source.items.size());
      for (const auto &item : source.items) items.push_back(value_of(item, slots));
      return typed_list(source.type, std::move(items));
    }
  }
}

void store_list(IValue &&returned, const Target &target, std::vector<IValue> &slots) {
  auto list = std::move(returned).toList();
  TORCH_CHECK(list.size() == target.slots.size(), "returned ", list.size(),
              " values where the program expects ", target.slots.size());
  for (size_t i = 0; i < target.slots.size(); ++i) {
    if (target.slots[i] != UINT32_MAX) {
      slots[target.slots[i]] = list.get(i);
    }
  }
}

}  // namespace

namespace pt2 {

// Operator with its arguments bound as far as they do not depend on inputs.
struct OpCall {
  Operator op;
  checks::Check check;
  std::vector<ArgumentSource> sources;
  std::vector<Target> targets;
  std::vector<size_t> aligned;
};

}  // namespace pt2

using pt2::OpCall;

namespace {

const CallOperand *named(const std::string &name, const NamedOperand *given, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (name == given[i].name) {
      return &given[i].operand;
    }
  }
  return nullptr;
}

void check_names(const c10::FunctionSchema &schema, const NamedOperand *given, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    std::string name = given[i].name;
    if (name.empty()) {
      TORCH_CHECK(i < schema.arguments().size(), "takes ", schema.arguments().size(), " arguments, got ",
                  count);
    } else {
      TORCH_CHECK(schema.argumentIndexWithName(name), "has no argument `", name, "`");
    }
  }
}

// libtorch indexes tables with these numbers without a check (c10/core/ScalarType.h, 2.11).
int64_t count_of(const c10::Type &type) {
  switch (type.kind()) {
    case TypeKind::ScalarTypeType:
      return static_cast<int64_t>(c10::ScalarType::NumOptions);
    case TypeKind::LayoutType:
      return static_cast<int64_t>(c10::Layout::NumOptions);
    case TypeKind::MemoryFormatType:
      return static_cast<int64_t>(c10::MemoryFormat::NumOptions);
    default:
      return 0;
  }
}

void check_enumeration(const c10::Argument &argument, const ArgumentSource &source) {
  auto count = count_of(*unwrap(argument.real_type()));
  if (count == 0 || (source.kind == ArgumentSource::Constant && source.constant.isNone())) {
    return;
  }
  TORCH_CHECK(source.kind == ArgumentSource::Constant && source.constant.isInt(),
              "it is no constant of the program");
  auto number = source.constant.toInt();
  TORCH_CHECK(0 <= number && number < count, "libtorch has no number ", number, " of ",
              argument.real_type()->str());
}

// Kernels read as many numbers as the schema declares. Those that accept a single number expand it
// themselves.
void check_length(const c10::Argument &argument, const ArgumentSource &source) {
  auto expected = argument.N();
  bool constant = source.kind == ArgumentSource::Constant;
  if (!expected || *expected < 2 || source.kind == ArgumentSource::FromSlot ||
      (constant && !source.constant.isList())) {
    return;
  }
  auto length = constant ? source.constant.toListRef().size() : source.items.size();
  const auto &standard = argument.default_value();
  bool may_be_empty = standard && standard->isList() && standard->toListRef().empty();
  TORCH_CHECK(length == static_cast<size_t>(*expected) || length == 1 || (length == 0 && may_be_empty),
              "takes ", *expected, " numbers, not ", length);
}

ArgumentSource bind_argument(const c10::FunctionSchema &schema, size_t index, const NamedOperand *given,
                             size_t count) {
  const auto &argument = schema.arguments()[index];
  const CallOperand *operand = named(argument.name(), given, count);
  if (!operand && index < count && given[index].name[0] == '\0') {
    operand = &given[index].operand;
  }
  if (!operand) {
    TORCH_CHECK(argument.default_value(), "argument `", argument.name(), "` is missing and has no default");
    ArgumentSource source;
    source.constant = *argument.default_value();
    return source;
  }
  try {
    auto source = prepare(*operand, argument.type(), argument.N(), 0);
    check_enumeration(argument, source);
    // mkldnn's schemas declare two numbers, but the weight may have three spatial dimensions.
    if (schema.name().rfind("mkldnn::_reorder_", 0) != 0) {
      check_length(argument, source);
    }
    return source;
  } catch (const c10::Error &error) {
    TORCH_CHECK(false, "argument `", argument.name(), "`: ", error.what_without_backtrace());
  }
}

}  // namespace

extern "C" {

ShimError *shim_op_call_bind(const pt2::Operator *op, const NamedOperand *given, size_t given_count,
                             const ReturnSlot *destinations, size_t destination_count,
                             OpCall **out) noexcept {
  return guarded([&] {
    const auto &schema = op->schema();
    check_names(schema, given, given_count);
    auto call = std::make_unique<OpCall>(
        OpCall{*op, pt2::checks::find(schema), {}, {}, pt2::aligned_arguments(schema)});
    for (size_t i = 0; i < schema.arguments().size(); ++i) {
      call->sources.push_back(bind_argument(schema, i, given, given_count));
    }
    TORCH_CHECK(schema.returns().size() == destination_count, "returns ", schema.returns().size(),
                " values, the program takes ", destination_count);
    for (size_t i = 0; i < destination_count; ++i) {
      const auto &to = destinations[i];
      call->targets.push_back({std::vector<uint32_t>(to.slots, to.slots + to.count), to.list});
    }
    *out = call.release();
  });
}

// noexcept: destructors do not throw.
void shim_op_call_free(OpCall *call) noexcept { delete call; }

// Called inside a Scope, which sets the mode once for all calls of a run.
ShimError *shim_op_call_run(const OpCall *call, Frame *frame) noexcept {
  return pt2::caught([&] {
    auto &stack = frame->stack;
    stack.clear();
    for (const auto &source : call->sources) {
      stack.push_back(value_of(source, frame->slots));
    }
    if (call->check) {
      call->check(pt2::checks::Arguments(stack));
    }
    pt2::align(stack, call->aligned);
    call->op.call(stack);
    for (size_t i = 0; i < call->targets.size(); ++i) {
      const auto &target = call->targets[i];
      if (target.list) {
        store_list(std::move(stack[i]), target, frame->slots);
      } else if (!target.slots.empty() && target.slots[0] != UINT32_MAX) {
        frame->slots[target.slots[0]] = std::move(stack[i]);
      }
    }
    stack.clear();
  });
}
}
