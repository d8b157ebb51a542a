/* Inputs at addresses that are aligned for their dtype only.
 * tests/special_archives/make_interface.py makes the archives. */
#include "check.h"

#define FOLDER "../special_archives/interface/"
enum { ROWS = 4, INNER = 64, COLUMNS = 32 };

/* Converts a small whole number to bfloat16, which represents it exactly. */
static uint16_t bfloat16(int value) {
  const float number = (float)value;
  uint32_t bits;
  memcpy(&bits, &number, sizeof bits);
  return (uint16_t)(bits >> 16);
}

static float widened(uint16_t value) {
  const uint32_t bits = (uint32_t)value << 16;
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

/* Returns a tensor `offset` bytes behind a multiple of 64, in memory that ends with the tensor. */
static pt2_tensor *at(char *memory, size_t offset, const void *content, size_t length, int32_t dtype,
                      size_t rank, const int64_t *sizes) {
  pt2_tensor *tensor = NULL;
  char *place = memory + (64 - (uintptr_t)memory % 64) % 64 + offset;
  memcpy(place, content, length);
  OK(pt2_tensor_from_memory(place, dtype, sizes, NULL, rank, NULL, NULL, NULL, &tensor));
  return tensor;
}

/* Kernels of this operator load vectors with instructions that need 32 bytes. */
static void a_kernel_that_needs_more(void) {
  static const size_t offsets[] = {0, 2, 16, 32, 48, 62};
  static const int64_t x_sizes[2] = {ROWS, INNER}, weight_sizes[2] = {COLUMNS, INNER},
                       scale_sizes[1] = {COLUMNS};
  uint16_t x[ROWS * INNER], scales[COLUMNS];
  int8_t weight[COLUMNS * INNER];
  char *memory[3];
  pt2_model *model = load(FOLDER "int8.pt2");
  for (int i = 0; i < ROWS * INNER; ++i) x[i] = bfloat16(i % 5 - 2);
  for (int i = 0; i < COLUMNS * INNER; ++i) weight[i] = (int8_t)(i % 7 - 3);
  for (int i = 0; i < COLUMNS; ++i) scales[i] = bfloat16(i % 3 + 1);
  for (int i = 0; i < 3; ++i) CHECK((memory[i] = malloc(128 + sizeof weight)) != NULL);
  for (size_t o = 0; o < sizeof offsets / sizeof *offsets; ++o) {
    pt2_tensor *output = NULL;
    pt2_tensor *inputs[3] = {
        at(memory[0], offsets[o], x, sizeof x, PT2_DTYPE_BFLOAT16, 2, x_sizes),
        at(memory[1], offsets[o] + 1, weight, sizeof weight, PT2_DTYPE_INT8, 2, weight_sizes),
        at(memory[2], offsets[o], scales, sizeof scales, PT2_DTYPE_BFLOAT16, 1, scale_sizes)};
    OK(pt2_run(model, inputs, 3, NULL, &output, 1));
    const uint16_t *found = pt2_tensor_data(output);
    for (int row = 0; row < ROWS; ++row) {
      for (int column = 0; column < COLUMNS; ++column) {
        int sum = 0;
        for (int i = 0; i < INNER; ++i) {
          sum += ((row * INNER + i) % 5 - 2) * ((column * INNER + i) % 7 - 3);
        }
        const float expected = (float)(sum * (column % 3 + 1)), got = widened(found[row * COLUMNS + column]);
        CHECK(got - expected <= 1 && expected - got <= 1);
      }
    }
    pt2_tensor_free(output);
    for (int i = 0; i < 3; ++i) pt2_tensor_free(inputs[i]);
  }
  for (int i = 0; i < 3; ++i) free(memory[i]);
  pt2_free(model);
}

/* The program views pairs of float64 as complex numbers, which libtorch loads at multiples of 16
 * bytes. */
static void elements_of_another_dtype(void) {
  static const int64_t sizes[2] = {33, 2};
  double numbers[66];
  char *memory = malloc(128 + sizeof numbers);
  CHECK(memory != NULL);
  pt2_model *model = load(FOLDER "pairs.pt2"), *writing = load(FOLDER "pairs_written.pt2");
  for (int i = 0; i < 66; ++i) numbers[i] = i % 9 - 4;
  for (size_t offset = 0; offset < 64; offset += 8) {
    pt2_tensor *output = NULL,
               *input = at(memory, offset, numbers, sizeof numbers, PT2_DTYPE_FLOAT64, 2, sizes);
    OK(pt2_run(model, &input, 1, NULL, &output, 1));
    const double *found = pt2_tensor_data(output);
    for (int i = 0; i < 33; ++i) {
      const double real = numbers[2 * i], imaginary = numbers[2 * i + 1];
      CHECK(found[2 * i] == real * real - imaginary * imaginary && found[2 * i + 1] == 2 * real * imaginary);
    }
    pt2_tensor_free(output);
    output = NULL;
    if (offset % 16 == 0) {
      OK(pt2_run(writing, &input, 1, NULL, &output, 1));
      CHECK(((double *)pt2_tensor_data(input))[3] == numbers[3] * 2);
    } else {
      FAILS(PT2_ERROR_INPUT, "must be aligned to 16 bytes", pt2_run(writing, &input, 1, NULL, &output, 1));
      CHECK(memcmp(pt2_tensor_data(input), numbers, sizeof numbers) == 0);
    }
    pt2_tensor_free(output);
    pt2_tensor_free(input);
  }
  free(memory);
  pt2_free(model);
  pt2_free(writing);
}

static void what_a_dtype_needs(void) {
  static const struct {
    int32_t dtype;
    size_t alignment;
  } cases[] = {{PT2_DTYPE_UINT8, 1},      {PT2_DTYPE_FLOAT16, 2},   {PT2_DTYPE_INT32, 4},
               {PT2_DTYPE_FLOAT64, 8},    {PT2_DTYPE_COMPLEX32, 4}, {PT2_DTYPE_COMPLEX64, 8},
               {PT2_DTYPE_COMPLEX128, 16}};
  const int64_t one = 1;
  char *memory = malloc(192), *base = memory + (64 - (uintptr_t)memory % 64) % 64;
  CHECK(memory != NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    for (size_t offset = 0; offset < 32; ++offset) {
      pt2_tensor *tensor = NULL;
      pt2_error *error =
          pt2_tensor_from_memory(base + offset, cases[i].dtype, &one, NULL, 1, NULL, NULL, NULL, &tensor);
      CHECK((error == NULL) == (offset % cases[i].alignment == 0) && (tensor == NULL) == (error != NULL));
      if (error != NULL)
        fails(PT2_ERROR_ARGUMENT, "must be aligned to", error, "from_memory", __FILE__, __LINE__);
      pt2_tensor_free(tensor);
    }
  }
  free(memory);
}

int main(void) {
  what_a_dtype_needs();
  a_kernel_that_needs_more();
  elements_of_another_dtype();
  return 0;
}
