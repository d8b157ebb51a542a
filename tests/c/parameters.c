/* Weights by name: list, read, set, reset. Every invalid argument is an error and changes nothing.
 */
#include "check.h"

#define IMAGE (3 * 32 * 32)
#define CLASSES 10

static void run(const pt2_model *model, float *scores) {
  static float image[IMAGE];
  const int64_t sizes[4] = {1, 3, 32, 32};
  pt2_tensor *input = floats(image, 4, sizes), *output = NULL;
  fill(image, IMAGE, 5);
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  memcpy(scores, pt2_tensor_data(output), CLASSES * sizeof *scores);
  pt2_tensor_free(input);
  pt2_tensor_free(output);
}

static int gives(const pt2_model *model, const float *expected) {
  float found[CLASSES];
  run(model, found);
  return memcmp(found, expected, sizeof found) == 0;
}

static void weights_are_listed(const pt2_model *model) {
  size_t kinds[5] = {0}, count = pt2_parameter_count(model);
  pt2_parameter parameter = {0}, untouched = {0};
  CHECK(count == 50 && pt2_parameter_count(NULL) == 0);
  parameter.struct_size = untouched.struct_size = sizeof parameter;
  for (size_t i = 0; i < count; ++i) {
    pt2_tensor *tensor = NULL;
    OK(pt2_parameter_info(model, i, &parameter));
    OK(pt2_get_parameter(model, parameter.name, &tensor));
    CHECK(pt2_tensor_dtype(tensor) == parameter.dtype && pt2_tensor_rank(tensor) == parameter.rank);
    for (size_t d = 0; d < parameter.rank; ++d) {
      CHECK(pt2_tensor_sizes(tensor)[d] == parameter.sizes[d]);
      CHECK(pt2_tensor_strides(tensor)[d] == parameter.strides[d]);
    }
    ++kinds[parameter.kind];
    pt2_tensor_free(tensor);
  }
  CHECK(kinds[PT2_PARAMETER] == 26 && kinds[PT2_BUFFER] == 24);
  FAILS(PT2_ERROR_ARGUMENT, "`index`", pt2_parameter_info(model, count, &untouched));
  FAILS(PT2_ERROR_ARGUMENT, "`parameter`", pt2_parameter_info(model, 0, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_parameter_info(NULL, 0, &untouched));
  CHECK(untouched.name == NULL);
  untouched.struct_size = 7;
  FAILS(PT2_ERROR_ARGUMENT, "struct_size", pt2_parameter_info(model, 0, &untouched));
}

static void a_weight_is_set_and_put_back(const pt2_model *model) {
  float before[CLASSES], set[CLASSES], bias[CLASSES];
  const int64_t sizes[1] = {CLASSES};
  pt2_tensor *old = NULL, *given;
  run(model, before);
  OK(pt2_get_parameter(model, "fc.bias", &old));
  for (int i = 0; i < CLASSES; ++i) bias[i] = ((float *)pt2_tensor_data(old))[i] + 1;
  given = floats(bias, 1, sizes);
  OK(pt2_set_parameter(model, "fc.bias", given));
  run(model, set);
  CHECK(memcmp(before, set, sizeof before) != 0);
  for (int i = 0; i < CLASSES; ++i) CHECK(set[i] > before[i] + 0.99f && set[i] < before[i] + 1.01f);
  OK(pt2_set_parameter(model, "fc.bias", old));
  CHECK(gives(model, before));
  OK(pt2_set_parameter(model, "fc.bias", given));
  OK(pt2_reset_parameters(model, NULL, 0));
  CHECK(gives(model, before));
  pt2_tensor_free(given);
  pt2_tensor_free(old);
}

static void clones_share_and_part(const pt2_model *model) {
  float before[CLASSES], set[CLASSES], zeros[CLASSES] = {0};
  const int64_t sizes[1] = {CLASSES};
  pt2_tensor *given = floats(zeros, 1, sizes), *first = NULL, *second = NULL;
  pt2_model *clone = NULL, *stranger = load("2.11.0/mini_resnet.pt2");
  run(model, before);
  OK(pt2_clone(model, &clone));
  OK(pt2_set_parameter(clone, "fc.bias", given));
  run(clone, set);
  CHECK(gives(model, before) && memcmp(before, set, sizeof set) != 0);
  OK(pt2_share_parameters(model, clone));
  OK(pt2_share_parameters(model, model));
  CHECK(gives(model, set));
  OK(pt2_get_parameter(model, "fc.bias", &first));
  OK(pt2_get_parameter(clone, "fc.bias", &second));
  CHECK(pt2_tensor_data(first) == pt2_tensor_data(second));
  OK(pt2_reset_parameters(model, NULL, 0));
  CHECK(gives(model, before) && gives(clone, set));
  FAILS(PT2_ERROR_ARGUMENT, "`source`: it is neither a clone", pt2_share_parameters(model, stranger));
  FAILS(PT2_ERROR_ARGUMENT, "`source`", pt2_share_parameters(model, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_share_parameters(NULL, clone));
  pt2_free(stranger);
  pt2_free(clone);
  pt2_tensor_free(first);
  pt2_tensor_free(second);
  pt2_tensor_free(given);
}

static void wrong_arguments(const pt2_model *model) {
  float before[CLASSES], values[CLASSES + 1] = {0};
  double wide[CLASSES] = {0};
  const int64_t sizes[1] = {CLASSES}, longer[1] = {CLASSES + 1}, turned[2] = {1, CLASSES};
  pt2_tensor *good = floats(values, 1, sizes), *tensor = NULL, *bad[3];
  const char *names[60] = {"bn1", NULL}, *both[2] = {"fc.bias", "fc.bias"};
  pt2_tensor *tensors[2] = {good, NULL};
  run(model, before);
  bad[0] = floats(values, 1, longer);
  bad[1] = floats(values, 2, turned);
  OK(pt2_tensor_from_memory(wide, PT2_DTYPE_FLOAT64, sizes, NULL, 1, NULL, NULL, NULL, &bad[2]));

  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_get_parameter(NULL, "fc.bias", &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`name`", pt2_get_parameter(model, NULL, &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_get_parameter(model, "fc.bias", NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`fc` is none of", pt2_get_parameter(model, "fc", &tensor));
  FAILS(PT2_ERROR_ARGUMENT, "UTF-8", pt2_get_parameter(model, "\xff", &tensor));
  CHECK(tensor == NULL);

  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_set_parameter(NULL, "fc.bias", good));
  FAILS(PT2_ERROR_ARGUMENT, "`name`", pt2_set_parameter(model, NULL, good));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_set_parameter(model, "fc.bias", NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`fc` is none of", pt2_set_parameter(model, "fc", good));
  FAILS(PT2_ERROR_WEIGHT, "weight `fc.bias`: its sizes are [10], [11]",
        pt2_set_parameter(model, "fc.bias", bad[0]));
  FAILS(PT2_ERROR_WEIGHT, "weight `fc.bias`: its sizes are [10], [1, 10]",
        pt2_set_parameter(model, "fc.bias", bad[1]));
  FAILS(PT2_ERROR_WEIGHT, "weight `fc.bias`: it is float32, float64",
        pt2_set_parameter(model, "fc.bias", bad[2]));

  FAILS(PT2_ERROR_ARGUMENT, "`names`", pt2_swap_parameters(model, NULL, tensors, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`names`", pt2_swap_parameters(model, names + 1, tensors, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`tensors`", pt2_swap_parameters(model, both, NULL, 1));
  FAILS(PT2_ERROR_ARGUMENT, "the one for `fc.bias` is NULL", pt2_swap_parameters(model, both, tensors, 2));
  tensors[1] = good;
  FAILS(PT2_ERROR_ARGUMENT, "`fc.bias` is named twice", pt2_swap_parameters(model, both, tensors, 2));
  both[1] = "bn1";
  FAILS(PT2_ERROR_ARGUMENT, "`bn1` is none of", pt2_swap_parameters(model, both, tensors, 2));
  FAILS(PT2_ERROR_ARGUMENT, "`count`", pt2_swap_parameters(model, names, tensors, 51));
  FAILS(PT2_ERROR_ARGUMENT, "`bn1` is none of", pt2_reset_parameters(model, names, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`names`", pt2_reset_parameters(model, NULL, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_reset_parameters(NULL, NULL, 0));
  OK(pt2_swap_parameters(model, NULL, NULL, 0));
  CHECK(gives(model, before));

  for (int i = 0; i < 3; ++i) pt2_tensor_free(bad[i]);
  pt2_tensor_free(good);
}

static int released;

static void release(void *context) {
  free(context);
  ++released;
}

/* The model releases shared memory after its last use. */
static void memory_is_let_go(const pt2_model *model) {
  const int64_t sizes[1] = {CLASSES};
  void *memory = aligned_alloc(64, 64);
  pt2_tensor *given = NULL, *found = NULL;
  memset(memory, 0, 64);
  OK(pt2_tensor_from_memory(memory, PT2_DTYPE_FLOAT32, sizes, NULL, 1, NULL, release, memory, &given));
  OK(pt2_set_parameter(model, "fc.bias", given));
  pt2_tensor_free(given);
  OK(pt2_get_parameter(model, "fc.bias", &found));
  CHECK(pt2_tensor_data(found) == memory);
  OK(pt2_reset_parameters(model, NULL, 0));
  CHECK(released == 0);
  pt2_tensor_free(found);
  CHECK(released == 1);
}

int main(void) {
  pt2_model *model = load("2.11.0/mini_resnet.pt2");
  weights_are_listed(model);
  a_weight_is_set_and_put_back(model);
  clones_share_and_part(model);
  wrong_arguments(model);
  memory_is_let_go(model);
  pt2_free(model);
  return 0;
}
