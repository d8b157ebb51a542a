/* Memory that a call must not write to: weights, the state, other outputs, other inputs, repeated
 * elements. tests/special_archives/make_interface.py makes the archives. */
#include "check.h"

#define FOLDER "../special_archives/interface/"

static pt2_tensor *strided(float *data, size_t rank, const int64_t *sizes, const int64_t *strides) {
  pt2_tensor *tensor = NULL;
  OK(pt2_tensor_from_memory(data, PT2_DTYPE_FLOAT32, sizes, strides, rank, NULL, NULL, NULL, &tensor));
  return tensor;
}

/* `result[0]` is x + 1 and `result[1]` is x * 2. */
static void outputs_that_overlap(void) {
  float x[12], buffer[64];
  const int64_t sizes[2] = {4, 3}, wide[2] = {8, 1}, none[2] = {3, 0}, close[2] = {2, 1}, turned[2] = {1, 4};
  pt2_model *model = load(FOLDER "two.pt2");
  fill(x, 12, 1);
  pt2_tensor *input = floats(x, 2, sizes);
  const struct {
    size_t first, second;
    const int64_t *first_strides, *second_strides;
    const char *words;
  } cases[] = {
      {0, 0, NULL, NULL, "`result[1]`: it overlaps the tensor for output `result[0]`"},
      {0, 11, NULL, NULL, "`result[1]`: it overlaps"},
      {11, 0, NULL, NULL, "`result[1]`: it overlaps"},
      {0, 2, wide, wide, "`result[1]`: it overlaps"},
      {0, 6, wide, wide, "`result[1]`: it overlaps"},
      {0, 16, none, NULL, "`result[0]`: more than one of its elements"},
      {16, 0, NULL, close, "`result[1]`: more than one of its elements"},
      {0, 12, NULL, NULL, NULL},
      {0, 12, turned, turned, NULL},
      {0, 3, wide, wide, NULL},
      {5, 0, wide, wide, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    pt2_tensor *outputs[2] = {strided(buffer + cases[i].first, 2, sizes, cases[i].first_strides),
                              strided(buffer + cases[i].second, 2, sizes, cases[i].second_strides)};
    for (int k = 0; k < 64; ++k) buffer[k] = 99;
    if (cases[i].words != NULL) {
      FAILS(PT2_ERROR_ARGUMENT, cases[i].words, pt2_run_into(model, &input, 1, NULL, outputs, 2));
      for (int k = 0; k < 64; ++k) CHECK(buffer[k] == 99);
    } else {
      OK(pt2_run_into(model, &input, 1, NULL, outputs, 2));
      for (int o = 0; o < 2; ++o) {
        const int64_t *strides = pt2_tensor_strides(outputs[o]);
        const float *data = pt2_tensor_data(outputs[o]);
        for (int k = 0; k < 12; ++k) {
          CHECK(data[k / 3 * strides[0] + k % 3 * strides[1]] == (o ? x[k] * 2 : x[k] + 1));
        }
      }
    }
    pt2_tensor_free(outputs[0]);
    pt2_tensor_free(outputs[1]);
  }
  /* Outputs may overlap the input, which is read first. */
  float expected[12];
  for (int k = 0; k < 12; ++k) expected[k] = x[k] * 2;
  pt2_tensor *over[2] = {NULL, input};
  OK(pt2_run_into(model, &input, 1, NULL, over, 2));
  CHECK(memcmp(x, expected, sizeof x) == 0);
  pt2_tensor_free(input);
  pt2_free(model);
}

static const int64_t eight = 8;
static const float weight[8] = {1, 2, 3, 4, 5, 6, 7, 8};

/* The program adds its second input to its first, and returns that times the weight, the weight and
 * a count. */
static void right_as_ever(const pt2_model *model) {
  float x[8], y[8], sum[8];
  fill(x, 8, 3);
  fill(y, 8, 4);
  pt2_tensor *inputs[2] = {floats(x, 1, &eight), floats(y, 1, &eight)}, *outputs[3] = {NULL};
  for (int i = 0; i < 8; ++i) sum[i] = x[i] + y[i];
  OK(pt2_run(model, inputs, 2, NULL, outputs, 3));
  CHECK(memcmp(x, sum, sizeof x) == 0 && same_floats(outputs[1], weight, 8));
  for (int i = 0; i < 8; ++i) CHECK(((float *)pt2_tensor_data(outputs[0]))[i] == sum[i] * weight[i]);
  for (int i = 0; i < 3; ++i) pt2_tensor_free(outputs[i]);
  pt2_tensor_free(inputs[0]);
  pt2_tensor_free(inputs[1]);
}

static void refused(const pt2_model *model, pt2_tensor *x, pt2_tensor *y, const char *words) {
  pt2_tensor *inputs[2] = {x, y}, *outputs[3] = {NULL};
  pt2_error *error = pt2_run(model, inputs, 2, NULL, outputs, 3);
  CHECK(error != NULL && strcmp(pt2_error_input(error), "args[0]") == 0);
  fails(PT2_ERROR_INPUT, words, error, "pt2_run", __FILE__, __LINE__);
  FAILS(PT2_ERROR_INPUT, words, pt2_run_into(model, inputs, 2, NULL, outputs, 3));
  FAILS(PT2_ERROR_INPUT, words, pt2_warm(model, inputs, 2, NULL));
}

static void inputs_that_are_written_to(void) {
  float data[32], other[8];
  const int64_t zero = 0, two = 2;
  fill(data, 32, 5);
  fill(other, 8, 6);
  pt2_model *model = load(FOLDER "writes.pt2"), *clone = NULL, *another = load(FOLDER "writes.pt2");
  pt2_tensor *y = floats(other, 1, &eight), *parameter = NULL, *exported = NULL;
  OK(pt2_clone(model, &clone));
  right_as_ever(model);
  OK(pt2_get_parameter(model, "weight", &parameter));

  /* The weight's handle, its address, its DLPack tensor and a part of it, in each model of the
   * process. */
  struct DLManagedTensorVersioned *managed = NULL;
  OK(pt2_tensor_to_dlpack(parameter, &managed));
  OK(pt2_tensor_from_dlpack(managed, &exported));
  pt2_tensor *address = floats(pt2_tensor_data(parameter), 1, &eight);
  const pt2_model *models[3] = {model, clone, another};
  for (int i = 0; i < 3; ++i) {
    refused(models[i], parameter, y, "its memory holds weights");
    refused(models[i], exported, y, "its memory holds weights");
    refused(models[i], address, y, "its memory holds weights");
    right_as_ever(models[i]);
  }
  /* As a read-only input, a weight is allowed. */
  pt2_tensor *inputs[2] = {floats(data, 1, &eight), parameter}, *outputs[3] = {NULL};
  OK(pt2_run(model, inputs, 2, NULL, outputs, 3));

  /* The outputs that are the weight and the state are rejected; the third is a new tensor. */
  refused(clone, outputs[1], y, "its memory holds weights");
  pt2_tensor *into[3] = {NULL, outputs[1], NULL}, *state[3] = {NULL, NULL, outputs[2]};
  FAILS(PT2_ERROR_ARGUMENT, "`result[1]`: its memory holds weights",
        pt2_run_into(model, inputs, 2, NULL, into, 3));
  FAILS(PT2_ERROR_ARGUMENT, "`result[2]`: its memory holds weights",
        pt2_run_into(model, inputs, 2, NULL, state, 3));
  pt2_tensor *fresh[2] = {outputs[0], y}, *more[3] = {NULL};
  OK(pt2_run(model, fresh, 2, NULL, more, 3));
  for (int i = 0; i < 3; ++i) {
    pt2_tensor_free(outputs[i]);
    pt2_tensor_free(more[i]);
  }
  pt2_tensor_free(inputs[0]);

  /* Repeated addresses, and memory of another input. */
  pt2_tensor *x = floats(data, 1, &eight), *behind = floats(data + 7, 1, &eight),
             *next = floats(data + 8, 1, &eight);
  pt2_tensor *repeated = strided(data, 1, &eight, &zero);
  pt2_tensor *even = strided(data, 1, &eight, &two), *odd = strided(data + 1, 1, &eight, &two);
  refused(model, repeated, y, "several of its elements lie at one address");
  refused(model, x, x, "it shares memory with input `args[1]`");
  refused(model, x, behind, "it shares memory with input `args[1]`");
  refused(model, even, x, "it shares memory with input `args[1]`");
  pt2_tensor *apart[][2] = {{x, next}, {even, odd}, {x, repeated}};
  for (int i = 0; i < 2; ++i) {
    OK(pt2_run(model, apart[i], 2, NULL, outputs, 3));
    for (int o = 0; o < 3; ++o) pt2_tensor_free(outputs[o]);
  }
  refused(model, apart[2][0], apart[2][1], "it shares memory");

  /* Weights that the caller set are protected while they are active. */
  pt2_tensor *given = floats(data + 16, 1, &eight);
  const char *name = "weight";
  OK(pt2_swap_parameters(clone, &name, &given, 1));
  float aligned = (float)((uintptr_t)(data + 16) % 64 == 0);
  if (aligned != 0) refused(model, given, y, "its memory holds weights");
  pt2_free(clone);
  pt2_tensor *later[2] = {given, y};
  OK(pt2_run(model, later, 2, NULL, outputs, 3));
  for (int o = 0; o < 3; ++o) pt2_tensor_free(outputs[o]);

  right_as_ever(model);
  pt2_free(model);
  right_as_ever(another);
  pt2_free(another);
  /* This memory no longer belongs to any model. */
  CHECK(same_floats(parameter, weight, 8));
  pt2_tensor *all[] = {y, parameter, exported, address, x, behind, next, repeated, even, odd, given};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) pt2_tensor_free(all[i]);
}

/* The program adds a dimension to its input in place; the caller's handle does not change. */
static void handles_stay_as_they_are(void) {
  float data[4] = {1, 2, 3, 4};
  const int64_t four = 4;
  pt2_model *model = load(FOLDER "unsqueezed.pt2");
  pt2_tensor *x = floats(data, 1, &four);
  for (int call = 0; call < 2; ++call) {
    pt2_tensor *output = NULL;
    OK(pt2_run(model, &x, 1, NULL, &output, 1));
    CHECK(pt2_tensor_rank(output) == 2 && pt2_tensor_data(output) == data && same_floats(output, data, 4));
    CHECK(pt2_tensor_rank(x) == 1 && pt2_tensor_sizes(x)[0] == 4);
    pt2_tensor_free(output);
  }
  pt2_tensor_free(x);
  pt2_free(model);
}

int main(void) {
  handles_stay_as_they_are();
  outputs_that_overlap();
  inputs_that_are_written_to();
  return 0;
}
