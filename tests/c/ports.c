/* Ports of a model: the description of its inputs and outputs. Every invalid query is an error. */
#include <stddef.h>

#include "check.h"

static pt2_port_info info(const pt2_model *model, int output, size_t index) {
  pt2_port_info port;
  memset(&port, 0, sizeof port);
  port.struct_size = sizeof port;
  OK((output ? pt2_output_info : pt2_input_info)(model, index, &port));
  CHECK(port.struct_size == sizeof port);
  return port;
}

static pt2_dimension dimension(const pt2_model *model, int output, size_t index, size_t position) {
  pt2_dimension found;
  memset(&found, 0, sizeof found);
  found.struct_size = sizeof found;
  OK((output ? pt2_output_dimension : pt2_input_dimension)(model, index, position, &found));
  return found;
}

static void an_image_goes_in_and_scores_come_out(void) {
  static const int64_t image[3] = {3, 32, 32};
  pt2_model *model = load("2.11.0/mini_resnet.pt2");
  CHECK(pt2_input_count(model) == 1 && pt2_output_count(model) == 1);
  CHECK(strcmp(pt2_model_device(model), "cpu") == 0);
  CHECK(strcmp(pt2_model_name(model), "model") == 0);
  CHECK(!pt2_model_mutates(model));

  const pt2_port_info input = info(model, 0, 0);
  CHECK(strcmp(input.name, "args[0]") == 0);
  CHECK(input.kind == PT2_KIND_TENSOR && input.dtype == PT2_DTYPE_FLOAT32 && input.rank == 4);
  const pt2_dimension batch = dimension(model, 0, 0, 0);
  CHECK(batch.size == -1 && batch.symbol[0] == 's' && batch.min == 0 && batch.max == 512);
  for (size_t d = 1; d < 4; ++d) {
    const pt2_dimension fixed = dimension(model, 0, 0, d);
    CHECK(fixed.size == image[d - 1] && fixed.symbol == NULL);
    CHECK(fixed.min == fixed.size && fixed.max == fixed.size);
  }
  const pt2_port_info output = info(model, 1, 0);
  CHECK(output.kind == PT2_KIND_TENSOR && output.dtype == PT2_DTYPE_FLOAT32 && output.rank == 2);
  CHECK(strcmp(dimension(model, 1, 0, 0).symbol, batch.symbol) == 0);
  CHECK(dimension(model, 1, 0, 1).size == 10);
  pt2_free(model);
}

static void nested_arguments_have_paths(void) {
  static const char *const versions[] = {"2.6.0",  "2.7.1",  "2.8.0",  "2.9.1",  "2.10.0",
                                         "2.11.0", "2.12.1", "2.13.0", "2.14.1", "2.15.0"};
  for (size_t v = 0; v < sizeof versions / sizeof *versions; ++v) {
    char name[64];
    snprintf(name, sizeof name, "%s/tree.pt2", versions[v]);
    pt2_model *model = load(name);
    CHECK(pt2_input_count(model) == 3 && pt2_output_count(model) == 4);
    CHECK(strcmp(info(model, 0, 0).name, "args[0][0]") == 0);
    CHECK(strcmp(info(model, 0, 1).name, "args[0][1]") == 0);
    CHECK(strcmp(info(model, 0, 2).name, "kwargs[\"extra\"][\"bias\"]") == 0);
    CHECK(strcmp(dimension(model, 0, 0, 0).symbol, dimension(model, 0, 1, 0).symbol) == 0);
    CHECK(strcmp(info(model, 1, 0).name, "result[\"sum\"]") == 0);
    CHECK(strcmp(info(model, 1, 1).name, "result[\"rows\"]") == 0);
    CHECK(info(model, 1, 1).kind == PT2_KIND_INT && info(model, 1, 1).rank == 0 &&
          info(model, 1, 1).dtype == 0);
    CHECK(strcmp(info(model, 1, 3).name, "result[\"more\"][1]") == 0);
    pt2_free(model);
  }
}

static void programs_that_write_say_so(void) {
  pt2_model *model = load("2.11.0/mini_resnet_train.pt2");
  CHECK(pt2_model_mutates(model));
  pt2_free(model);
  model = load("2.6.0/mutation.pt2");
  CHECK(pt2_model_mutates(model));
  pt2_free(model);
}

static void is_constant(const pt2_port_info port, int32_t kind, const char *text) {
  CHECK(port.kind == kind);
  CHECK(text == NULL ? port.constant == NULL : port.constant != NULL && strcmp(port.constant, text) == 0);
}

static void constants_tell_their_values(void) {
  pt2_model *model = load("2.11.0/constants.pt2");
  is_constant(info(model, 1, 0), PT2_KIND_TENSOR, NULL);
  is_constant(info(model, 1, 1), PT2_KIND_NONE, "None");
  is_constant(info(model, 1, 2), PT2_KIND_BOOL, "True");
  is_constant(info(model, 1, 3), PT2_KIND_INT, "4611686018427387904");
  is_constant(info(model, 1, 4), PT2_KIND_FLOAT, "-0.0");
  is_constant(info(model, 1, 5), PT2_KIND_FLOAT, "inf");
  is_constant(info(model, 1, 8), PT2_KIND_BOOL, "False");
  CHECK(strcmp(info(model, 1, 8).name, "result[\"more\"][1][1]") == 0);
  pt2_free(model);
  model = load("../special_archives/2.11.0/texts.pt2");
  is_constant(info(model, 1, 1), PT2_KIND_STRING, "a \"quoted\" line\n");
  is_constant(info(model, 1, 2), PT2_KIND_STRING, "");
  pt2_free(model);
  model = load("2.11.0/returns.pt2");
  is_constant(info(model, 0, 0), PT2_KIND_TENSOR, NULL);
  is_constant(info(model, 0, 1), PT2_KIND_NONE, "None");
  is_constant(info(model, 0, 4), PT2_KIND_STRING, "a");
  pt2_free(model);
}

/* A program built with an older header lacks the newest fields. */
static void a_smaller_struct_is_filled_as_far_as_it_goes(void) {
  pt2_port_info port;
  pt2_model *model = load("2.11.0/returns.pt2");
  memset(&port, 0x55, sizeof port);
  port.struct_size = offsetof(pt2_port_info, constant);
  OK(pt2_input_info(model, 4, &port));
  CHECK(port.kind == PT2_KIND_STRING && (uintptr_t)port.constant == (uintptr_t)0x5555555555555555);
  pt2_free(model);
}

static void wrong_questions(void) {
  pt2_model *model = load("2.11.0/mini_resnet.pt2");
  pt2_port_info port;
  pt2_dimension found;
  char untouched[sizeof port];
  memset(&port, 0x55, sizeof port);
  memset(&found, 0x55, sizeof found);
  port.struct_size = sizeof port;
  found.struct_size = sizeof found;
  memcpy(untouched, &port, sizeof port);
  FAILS(PT2_ERROR_ARGUMENT, "`index`: 1 is out of range, there are 1", pt2_input_info(model, 1, &port));
  FAILS(PT2_ERROR_ARGUMENT, "`index`", pt2_output_info(model, SIZE_MAX, &port));
  FAILS(PT2_ERROR_ARGUMENT, "`index`", pt2_input_dimension(model, 1, 0, &found));
  FAILS(PT2_ERROR_ARGUMENT, "`position`", pt2_input_dimension(model, 0, 4, &found));
  FAILS(PT2_ERROR_ARGUMENT, "`position`", pt2_output_dimension(model, 0, SIZE_MAX, &found));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_input_info(NULL, 0, &port));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_output_info(NULL, 0, &port));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_input_dimension(NULL, 0, 0, &found));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_output_dimension(NULL, 0, 0, &found));
  FAILS(PT2_ERROR_ARGUMENT, "`info`", pt2_input_info(model, 0, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`info`", pt2_output_info(model, 0, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`dimension`", pt2_input_dimension(model, 0, 0, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`dimension`", pt2_output_dimension(model, 0, 0, NULL));
  CHECK(memcmp(untouched, &port, sizeof port) == 0);
  for (size_t size = 0; size < sizeof port; ++size) {
    if (size == offsetof(pt2_port_info, constant)) continue;
    port.struct_size = size;
    FAILS(PT2_ERROR_ARGUMENT, "struct_size", pt2_input_info(model, 0, &port));
  }
  CHECK(pt2_input_count(NULL) == 0 && pt2_output_count(NULL) == 0 && !pt2_model_mutates(NULL));
  CHECK(pt2_model_device(NULL) == NULL && pt2_model_name(NULL) == NULL);
  pt2_free(model);
}

/* A program built with a newer header: fields that this library does not know are unchanged. */
static void a_larger_struct_is_filled_as_far_as_it_is_known(void) {
  struct {
    pt2_port_info known;
    char unknown[8];
  } later;
  pt2_model *model = load("2.11.0/mini_resnet.pt2");
  memset(&later, 0x55, sizeof later);
  later.known.struct_size = sizeof later;
  OK(pt2_input_info(model, 0, &later.known));
  CHECK(later.known.rank == 4 && later.known.struct_size == sizeof later);
  for (size_t i = 0; i < sizeof later.unknown; ++i) CHECK(later.unknown[i] == 0x55);
  pt2_free(model);
}

int main(void) {
  an_image_goes_in_and_scores_come_out();
  nested_arguments_have_paths();
  programs_that_write_say_so();
  constants_tell_their_values();
  a_smaller_struct_is_filled_as_far_as_it_goes();
  wrong_questions();
  a_larger_struct_is_filled_as_far_as_it_is_known();
  return 0;
}
