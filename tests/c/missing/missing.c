/* Process whose libpt2.so finds no engine or an invalid one: every call fails with that
 * error and has no effect. The argument is a text that the message must contain. */
#include "../check.h"

int main(int argc, char **argv) {
  CHECK(argc == 2);
  CHECK(strchr(pt2_version(), '.') != NULL);
  CHECK(strcmp(pt2_libtorch_version(), "") == 0);

  pt2_model *model = NULL;
  pt2_error *error = pt2_load("any.pt2", NULL, &model);
  CHECK(pt2_error_code(error) == PT2_ERROR_LIBTORCH);
  CHECK(strstr(pt2_error_message(error), argv[1]) != NULL);
  CHECK(pt2_error_input(error) == NULL);
  CHECK(model == NULL);
  pt2_error_free(error);
  /* The error is a single static object, so freeing it does not change later errors. */
  FAILS(PT2_ERROR_LIBTORCH, argv[1], pt2_load_from_memory("any", 3, NULL, &model));
  pt2_load_options options = {.struct_size = sizeof options, .device = "cuda"};
  FAILS(PT2_ERROR_LIBTORCH, argv[1], pt2_load("any.pt2", &options, &model));
  FAILS(PT2_ERROR_LIBTORCH, argv[1], pt2_load_op_library("any.so"));

  pt2_tensor *tensor = NULL;
  FAILS(PT2_ERROR_LIBTORCH, argv[1], pt2_tensor_from_int(1, &tensor));
  CHECK(tensor == NULL);
  CHECK(pt2_tensor_dtype(NULL) == 0 && pt2_tensor_rank(NULL) == 0 && pt2_tensor_sizes(NULL) == NULL);
  CHECK(pt2_tensor_device(NULL) == NULL && !pt2_model_mutates(NULL) && pt2_input_count(NULL) == 0);
  pt2_set_cpu_threads(1);
  pt2_tensor_free(NULL);
  pt2_free(NULL);
  CHECK(pt2_error_code(NULL) == 0 && strcmp(pt2_error_message(NULL), "") == 0);
  return 0;
}
