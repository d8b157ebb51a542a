/* Inputs and outputs by name, in Python's and Triton's notation. */
#include "check.h"

static pt2_model *model;

static void input(const char *name, size_t expected) {
  size_t index = SIZE_MAX;
  OK(pt2_input_index(model, name, &index));
  CHECK(index == expected);
}

static void output(const char *name, size_t expected) {
  size_t index = SIZE_MAX;
  OK(pt2_output_index(model, name, &index));
  CHECK(index == expected);
}

static void spellings(void) {
  input("args[0][0]", 0);
  input("ARGS[0][1]", 1);
  input("INPUT__1", 1);
  input("kwargs[\"extra\"][\"bias\"]", 2);
  input("KWARGS[extra][bias]", 2);
  output("result[\"sum\"]", 0);
  output("RESULT[rows]", 1);
  output("RESULT[0][more][1]", 3);
  output("OUTPUT__2", 2);
}

static void names_that_do_not_exist(void) {
  static const char all[] = "none of the inputs: args[0][0], args[0][1], kwargs[\"extra\"][\"bias\"]";
  size_t index = 77;
  FAILS(PT2_ERROR_ARGUMENT, all, pt2_input_index(model, "mask", &index));
  FAILS(PT2_ERROR_ARGUMENT, all, pt2_input_index(model, "", &index));
  FAILS(PT2_ERROR_ARGUMENT, all, pt2_input_index(model, "INPUT__3", &index));
  FAILS(PT2_ERROR_ARGUMENT, "none of the outputs: result[\"sum\"]",
        pt2_output_index(model, "result", &index));
  FAILS(PT2_ERROR_ARGUMENT, "UTF-8", pt2_output_index(model, "\xc3", &index));
  FAILS(PT2_ERROR_ARGUMENT, "`name`", pt2_input_index(model, NULL, &index));
  FAILS(PT2_ERROR_ARGUMENT, "`name`", pt2_output_index(model, NULL, &index));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_input_index(NULL, "args[0]", &index));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_output_index(NULL, "result", &index));
  FAILS(PT2_ERROR_ARGUMENT, "`index`", pt2_input_index(model, "ARGS[0][0]", NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`index`", pt2_output_index(model, "OUTPUT__0", NULL));
  CHECK(index == 77);
}

static float a[12], b[12], bias[6];
static pt2_tensor *given[3], *by_place[4];

/* Each input by name, in another order and other spellings, with some of the outputs. */
static void names_stand_for_places(void) {
  static const char *const inputs[] = {"KWARGS[extra][bias]", "args[0][1]", "INPUT__0"};
  static const char *const outputs[] = {"RESULT[more][1]", "result[\"rows\"]", "OUTPUT__0", "RESULT[rows]"};
  static const size_t places[] = {3, 1, 0, 1};
  pt2_tensor *const tensors[] = {given[2], given[1], given[0]};
  pt2_tensor *found[4] = {NULL, NULL, NULL, NULL};
  OK(pt2_run_named(model, inputs, tensors, 3, outputs, found, 4, NULL));
  for (size_t i = 0; i < 4; ++i) {
    const pt2_tensor *expected = by_place[places[i]];
    CHECK(pt2_tensor_dtype(found[i]) == pt2_tensor_dtype(expected));
    CHECK(element_count(found[i]) == element_count(expected));
    CHECK(memcmp(pt2_tensor_data(found[i]), pt2_tensor_data(expected), (size_t)element_count(expected) * 4) ==
          0);
    pt2_tensor_free(found[i]);
  }
  OK(pt2_run_named(model, inputs, tensors, 3, NULL, NULL, 0, NULL));
}

static void wrong_named_calls(void) {
  static const char *inputs[] = {"args[0][0]", "args[0][1]", "kwargs[\"extra\"][\"bias\"]"};
  static const char *outputs[] = {"OUTPUT__0"};
  pt2_tensor *output = given[0];
  FAILS(PT2_ERROR_INPUT, "kwargs", pt2_run_named(model, inputs, given, 2, outputs, &output, 1, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_run_named(NULL, inputs, given, 3, outputs, &output, 1, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`input_names`", pt2_run_named(model, NULL, given, 3, outputs, &output, 1, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`inputs`", pt2_run_named(model, inputs, NULL, 3, outputs, &output, 1, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`output_names`", pt2_run_named(model, inputs, given, 3, NULL, &output, 1, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`outputs`", pt2_run_named(model, inputs, given, 3, outputs, NULL, 1, NULL));
  outputs[0] = "OUTPUT__4";
  FAILS(PT2_ERROR_ARGUMENT, "none of the outputs",
        pt2_run_named(model, inputs, given, 3, outputs, &output, 1, NULL));
  outputs[0] = NULL;
  FAILS(PT2_ERROR_ARGUMENT, "`output_names`",
        pt2_run_named(model, inputs, given, 3, outputs, &output, 1, NULL));
  outputs[0] = "OUTPUT__0";
  inputs[1] = "INPUT__0";
  FAILS(PT2_ERROR_ARGUMENT, "`args[0][0]` is named twice",
        pt2_run_named(model, inputs, given, 3, outputs, &output, 1, NULL));
  inputs[1] = "mask";
  FAILS(PT2_ERROR_ARGUMENT, "none of the inputs",
        pt2_run_named(model, inputs, given, 3, outputs, &output, 1, NULL));
  CHECK(output == given[0]);
}

static void runs_by_name(void) {
  static const int64_t sizes[2] = {2, 6};
  fill(a, 12, 1);
  fill(b, 12, 2);
  fill(bias, 6, 3);
  given[0] = floats(a, 2, sizes);
  given[1] = floats(b, 2, sizes);
  given[2] = floats(bias, 1, sizes + 1);
  OK(pt2_run(model, given, 3, NULL, by_place, 4));
  names_stand_for_places();
  wrong_named_calls();
  for (size_t i = 0; i < 4; ++i) pt2_tensor_free(by_place[i]);
  for (size_t i = 0; i < 3; ++i) pt2_tensor_free(given[i]);
}

int main(void) {
  model = load("2.11.0/tree.pt2");
  spellings();
  names_that_do_not_exist();
  runs_by_name();
  pt2_free(model);
  return 0;
}
