/* Errors as objects: their content, their independence of other handles, and NULL as a harmless
 * argument. */
#include "check.h"

static void null_is_no_error(void) {
  CHECK(pt2_error_code(NULL) == 0);
  CHECK(strcmp(pt2_error_message(NULL), "") == 0);
  CHECK(pt2_error_input(NULL) == NULL);
  pt2_error_free(NULL);
}

static void an_error_outlives_what_it_is_about(void) {
  pt2_model *model = load("2.11.0/mutation.pt2");
  float data[6] = {0};
  const int64_t sizes[2] = {2, 3}, wrong[2] = {3, 2};
  pt2_tensor *tensor = floats(data, 2, wrong), *output = NULL;
  pt2_error *error = pt2_run(model, &tensor, 1, NULL, &output, 1);
  CHECK(output == NULL);
  pt2_tensor_free(tensor);

  tensor = floats(data, 2, sizes);
  OK(pt2_run(model, &tensor, 1, NULL, &output, 1));
  pt2_tensor_free(output);
  pt2_tensor_free(tensor);
  pt2_free(model);

  CHECK(pt2_error_code(error) == PT2_ERROR_INPUT);
  CHECK(strcmp(pt2_error_message(error), "input `args[0]`: dimension 1 is 2, expected 3") == 0);
  CHECK(strcmp(pt2_error_input(error), "args[0]") == 0);
  pt2_error_free(error);
}

static void only_inputs_are_named_as_inputs(void) {
  pt2_model *model = NULL;
  pt2_error *error = pt2_load("/there/is/none.pt2", NULL, &model);
  CHECK(pt2_error_code(error) == PT2_ERROR_IO);
  CHECK(strstr(pt2_error_message(error), "/there/is/none.pt2") != NULL);
  CHECK(pt2_error_input(error) == NULL);
  CHECK(model == NULL);
  pt2_error_free(error);
}

static void the_archive_is_named(void) {
  pt2_model *model = NULL;
  FAILS(PT2_ERROR_MISSING_OPERATOR,
        "2.11.0/twice.pt2: ", pt2_load(archive("../special_archives/2.11.0/twice.pt2"), NULL, &model));
  FAILS(PT2_ERROR_MISSING_OPERATOR, "pt2test::twice.default",
        pt2_load(archive("../special_archives/2.11.0/twice.pt2"), NULL, &model));
  CHECK(model == NULL);
}

int main(void) {
  null_is_no_error();
  an_error_outlives_what_it_is_about();
  only_inputs_are_named_as_inputs();
  the_archive_is_named();
  return 0;
}
