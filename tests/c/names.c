/* Inputs and outputs by name, as Python and as Triton spell them. */
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

int main(void) {
  model = load("2.11.0/tree.pt2");
  spellings();
  names_that_do_not_exist();
  pt2_free(model);
  return 0;
}
