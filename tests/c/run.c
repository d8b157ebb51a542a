/* Running: shapes of inputs, ownership of outputs, use and release of the caller's memory. */
#include "check.h"

enum { IMAGE = 3 * 32 * 32, SCORES = 10 };

static float images[4 * IMAGE], scores[4 * SCORES];
static int released;

static void release(void *context) {
  (void)context;
  ++released;
}

static pt2_tensor *image(float *data, int64_t batch, const int64_t *strides) {
  const int64_t sizes[4] = {batch, 3, 32, 32};
  pt2_tensor *tensor = NULL;
  OK(pt2_tensor_from_memory(data, PT2_DTYPE_FLOAT32, sizes, strides, 4, "cpu", release, NULL, &tensor));
  return tensor;
}

static pt2_tensor *forward(const pt2_model *model, pt2_tensor *input) {
  pt2_tensor *output = NULL;
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  CHECK(output != NULL);
  pt2_tensor_free(input);
  return output;
}

static void expect(const pt2_model *model, pt2_tensor *input, const float *expected, size_t count) {
  pt2_tensor *output = forward(model, input);
  CHECK(same_floats(output, expected, count));
  pt2_tensor_free(output);
}

static int close_to(const float *found, const float *expected, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float difference = found[i] - expected[i];
    if (!(difference < 1e-5f && difference > -1e-5f)) return 0;
  }
  return 1;
}

static void outputs_outlive_inputs_and_model(void) {
  pt2_model *model = load("2.11.0/mini_resnet.pt2");
  float *data = malloc(sizeof images);
  CHECK(data != NULL);
  memcpy(data, images, sizeof images);
  released = 0;
  pt2_tensor *output = forward(model, image(data, 4, NULL));
  CHECK(released == 1);
  memset(data, 0xff, sizeof images);
  free(data);
  pt2_free(model);
  CHECK(pt2_tensor_rank(output) == 2 && pt2_tensor_sizes(output)[0] == 4);
  CHECK(same_floats(output, scores, 4 * SCORES));
  pt2_tensor_free(output);
}

/* Kernels may sum in another order for other strides, so a view is compared with a tolerance, as in
 * PyTorch's own tests. */
static void views_give_what_their_dense_copies_give(const pt2_model *model) {
  static float wide[4 * IMAGE * 2], turned[4 * IMAGE];
  static const int64_t every_second[4] = {IMAGE * 2, 2048, 64, 2}, last_first[4] = {IMAGE, 1024, 1, 32};
  static const int64_t channels_last[4] = {IMAGE, 1, 96, 3}, same[4] = {0, 1024, 32, 1};
  float repeated[4 * SCORES];
  for (size_t i = 0; i < 4 * IMAGE; ++i) {
    const size_t n = i / IMAGE, c = i / 1024 % 3, y = i / 32 % 32, x = i % 32;
    wide[2 * i] = images[i];
    wide[2 * i + 1] = 1e30f;
    turned[n * IMAGE + c * 1024 + x * 32 + y] = images[i];
  }
  pt2_tensor *output = forward(model, image(wide, 4, every_second));
  CHECK(close_to(pt2_tensor_data(output), scores, 4 * SCORES));
  pt2_tensor_free(output);
  output = forward(model, image(turned, 4, last_first));
  CHECK(close_to(pt2_tensor_data(output), scores, 4 * SCORES));
  pt2_tensor_free(output);
  for (size_t i = 0; i < 4 * IMAGE; ++i) {
    turned[i / IMAGE * IMAGE + i % 1024 * 3 + i / 1024 % 3] = images[i];
  }
  output = forward(model, image(turned, 4, channels_last));
  CHECK(pt2_tensor_strides(output)[0] == SCORES && close_to(pt2_tensor_data(output), scores, 4 * SCORES));
  pt2_tensor_free(output);
  for (size_t n = 0; n < 4; ++n) memcpy(repeated + n * SCORES, scores, SCORES * sizeof *scores);
  output = forward(model, image(images, 4, same));
  CHECK(close_to(pt2_tensor_data(output), repeated, 4 * SCORES));
  pt2_tensor_free(output);
}

static void nothing_is_taken_from_a_refused_call(const pt2_model *model) {
  pt2_tensor *input = image(images, 4, NULL), *output = (pt2_tensor *)(void *)&released;
  released = 0;
  FAILS(PT2_ERROR_INPUT, "takes 1 inputs, got 0", pt2_run(model, NULL, 0, NULL, &output, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`output_count`: the program gives 1 outputs, there is room for 2",
        pt2_run(model, &input, 1, NULL, &output, 2));
  CHECK(output == (pt2_tensor *)(void *)&released && released == 0);
  expect(model, input, scores, 4 * SCORES);
  CHECK(released == 1);
}

/* A mutated input is the caller's memory, and the state persists between calls. */
static void mutation_is_seen_by_the_caller(void) {
  float data[6] = {1, 2, 3, 4, 5, 6};
  const float doubled[6] = {2, 4, 6, 8, 10, 12}, first[6] = {7, 11, 15, 13, 17, 21};
  const float second[6] = {19, 29, 39, 31, 41, 51};
  const int64_t sizes[2] = {2, 3};
  pt2_model *model = load("2.15.0/mutation.pt2");
  expect(model, floats(data, 2, sizes), first, 6);
  CHECK(memcmp(data, doubled, sizeof data) == 0);
  expect(model, floats(data, 2, sizes), second, 6);
  pt2_free(model);
}

static void numbers_come_out_as_tensors(void) {
  float a[12] = {0}, bias[6] = {0};
  const int64_t sizes[2] = {2, 6}, six = 6;
  pt2_model *model = load("2.8.0/tree.pt2");
  pt2_tensor *inputs[3] = {floats(a, 2, sizes), floats(a, 2, sizes), floats(bias, 1, &six)}, *outputs[4];
  OK(pt2_run(model, inputs, 3, NULL, outputs, 4));
  CHECK(pt2_tensor_dtype(outputs[1]) == PT2_DTYPE_INT64 && pt2_tensor_rank(outputs[1]) == 0);
  CHECK(*(const int64_t *)pt2_tensor_data(outputs[1]) == 2);
  CHECK(pt2_tensor_dtype(outputs[3]) == PT2_DTYPE_INT64 && pt2_tensor_rank(outputs[3]) == 1);
  for (size_t i = 0; i < 3; ++i) pt2_tensor_free(inputs[i]);
  for (size_t i = 0; i < 4; ++i) pt2_tensor_free(outputs[i]);
  pt2_free(model);
}

int main(void) {
  fill(images, 4 * IMAGE, 7);
  pt2_model *model = load("2.11.0/mini_resnet.pt2");
  pt2_tensor *output = forward(model, image(images, 4, NULL));
  memcpy(scores, pt2_tensor_data(output), sizeof scores);
  pt2_tensor_free(output);
  for (int i = 0; i < 3; ++i) expect(model, image(images, 4, NULL), scores, 4 * SCORES);
  outputs_outlive_inputs_and_model();
  views_give_what_their_dense_copies_give(model);
  nothing_is_taken_from_a_refused_call(model);
  pt2_free(model);
  mutation_is_seen_by_the_caller();
  numbers_come_out_as_tensors();
  return 0;
}
