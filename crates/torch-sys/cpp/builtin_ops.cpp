#include "builtin_ops.h"

#include <torch/csrc/jit/frontend/function_schema_parser.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "addmm_relu.h"
#include "batch_norm_folding.h"
#include "contiguous.h"
#include "cudnn/convolution.h"
#include "hop_helpers.h"
#include "onednn/fused_conv.h"
#include "onednn/prepacked_weight.h"
#include "portable/portable.h"
#include "python/python.h"
#include "quantized/quantized.h"
#include "space_to_depth.h"

namespace {

using pt2::Builtin;
using pt2::Declaration;

// Operator whose schema is parsed when it is first looked up.
class Entry {
 public:
  explicit Entry(const Declaration &declaration) : declaration_(declaration) {}

  const Builtin *builtin() {
    std::call_once(parsed_, [&] {
      builtin_.emplace(Builtin{torch::jit::parseSchema(declaration_.schema), declaration_.kernel});
    });
    return &*builtin_;
  }

 private:
  Declaration declaration_;
  std::once_flag parsed_;
  std::optional<Builtin> builtin_;
};

// Entries by the name and overload that their schemas begin with.
using Table = std::map<std::string_view, Entry, std::less<>>;

Table declared() {
  Table table;
  for (const auto &family : {pt2::direct(),
                             pt2::blocks(),
                             pt2::contiguous(),
                             pt2::convolution_weights(),
                             pt2::cudnn::convolutions(),
                             pt2::folds(),
                             pt2::onednn_convolutions(),
                             pt2::products(),
                             pt2::portable::attention(),
                             pt2::portable::attention_backward(),
                             pt2::portable::convolutions(),
                             pt2::portable::normalizations(),
                             pt2::portable::products(),
                             pt2::portable::recurrent(),
                             pt2::portable::strides(),
                             pt2::python::transformers(),
                             pt2::python::torchao(),
                             pt2::python::torchao_float8(),
                             pt2::python::pooling(),
                             pt2::quantized::per_tensor(),
                             pt2::quantized::per_channel(),
                             pt2::quantized::per_token(),
                             pt2::quantized::per_channel_group(),
                             pt2::quantized::choose(),
                             pt2::quantized::element_type()}) {
    for (const auto &declaration : family) {
      std::string_view schema = declaration.schema;
      table.try_emplace(schema.substr(0, schema.find('(')), declaration);
    }
  }
  return table;
}

}  // namespace

const Builtin *pt2::find_builtin(const char *name, const char *overload) {
  static Table table = declared();
  auto full = *overload == '\0' ? std::string(name) : std::string(name) + '.' + overload;
  auto found = table.find(full);
  return found == table.end() ? nullptr : found->second.builtin();
}
