/* Outputs are strided tensors whose memory holds their elements, or an error names the output.
 * tests/special_archives/make_interface.py makes the archives. */
#include "check.h"

#define FOLDER "../special_archives/interface/"
enum { OUTPUTS = 11, MOST = 17 * 2 * 2 };

/* Beginning of DLManagedTensorVersioned of dlpack/dlpack.h 1.x. */
typedef struct DLManagedTensorVersioned {
  uint32_t major, minor;
  void *manager;
  void (*deleter)(struct DLManagedTensorVersioned *self);
  uint64_t flags;
  void *data;
} Managed;

static void what_no_handle_describes(void) {
  static const struct {
    const char *archive, *words;
  } at_load[] = {{"told_sparse", "output `result` is a tensor of layout SparseCoo"},
                 {"told_mkldnn", "output `result` is a tensor of layout Mkldnn"},
                 {"takes_sparse", "input `args[0]` is a tensor of layout SparseCoo"}},
    at_run[] = {{"nested", "output `result` is a nested tensor"},
                {"sparse", "output `result` is a tensor of layout Sparse"},
                {"mkldnn", "output `result` is a tensor of layout Mkldnn"},
                {"quantized", "output `result` is a quantized tensor (QUInt8)"},
                {"batched", "output `result` is a wrapper around another tensor"}};
  static const char *const wrappers[] = {"aten::_add_batch_dim"};
  pt2_load_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.allowed_operators = wrappers;
  options.allowed_operator_count = 1;
  float data[4] = {1, 0, 3, 4}, into[4] = {7, 7, 7, 7};
  const int64_t size = 4;
  char name[256];
  pt2_tensor *x = floats(data, 1, &size), *y = floats(into, 1, &size), *output = NULL;
  for (size_t i = 0; i < sizeof at_load / sizeof *at_load; ++i) {
    pt2_model *model = NULL;
    snprintf(name, sizeof name, FOLDER "%s.pt2", at_load[i].archive);
    FAILS(PT2_ERROR_UNSUPPORTED, at_load[i].words, pt2_load(archive(name), NULL, &model));
    CHECK(model == NULL);
  }
  for (size_t i = 0; i < sizeof at_run / sizeof *at_run; ++i) {
    snprintf(name, sizeof name, FOLDER "%s.pt2", at_run[i].archive);
    pt2_model *model = NULL;
    OK(pt2_load(archive(name), &options, &model));
    for (int call = 0; call < 2; ++call) {
      FAILS(PT2_ERROR_UNSUPPORTED, at_run[i].words, pt2_run(model, &x, 1, NULL, &output, 1));
      FAILS(PT2_ERROR_UNSUPPORTED, at_run[i].words, pt2_run_into(model, &x, 1, NULL, &y, 1));
    }
    CHECK(output == NULL && into[0] == 7);
    pt2_free(model);
  }
  pt2_tensor_free(x);
  pt2_tensor_free(y);
}

static void zeros_have_memory(void) {
  static const float zeros[4];
  float data[4] = {1, 2, 3, 4};
  const int64_t size = 4;
  pt2_model *model = load(FOLDER "zeros.pt2");
  pt2_tensor *x = floats(data, 1, &size), *output = NULL;
  OK(pt2_run(model, &x, 1, NULL, &output, 1));
  CHECK(same_floats(output, zeros, 4));
  pt2_tensor_free(output);
  pt2_tensor_free(x);
  pt2_free(model);
}

/* Reads element `i` of a tensor by its strides, as real and imaginary part. */
static void element(const pt2_tensor *tensor, int64_t i, float *real, float *imaginary) {
  const int complex = pt2_tensor_dtype(tensor) == PT2_DTYPE_COMPLEX64;
  const float *data = pt2_tensor_data(tensor);
  for (size_t d = pt2_tensor_rank(tensor); d-- > 0; i /= pt2_tensor_sizes(tensor)[d]) {
    data += (1 + complex) * pt2_tensor_strides(tensor)[d] * (i % pt2_tensor_sizes(tensor)[d]);
  }
  *real = data[0];
  *imaginary = complex ? data[1] : 0;
}

/* Computes element `i` of output `which` for the input `x` of `rows` rows of two, and the weight.
 */
static void expected(int which, int64_t rows, const float *x, const float *weight, int64_t i, float *real,
                     float *imaginary) {
  const float times = which == 4 ? 0 : which == 9 ? 2 : 1;
  const float *from = which == 2 || which == 3 ? weight : x;
  int64_t at = which == 5   ? (i / 2 * 2 + 1) * 2 + i % 2
               : which == 6 ? i % rows * 2 + i / rows
               : which == 7 ? i % 2
                            : i;
  float sum = 0;
  for (int64_t k = 0; k < rows * 2; ++k) sum += x[2 * k];
  const float factor = times != 0 ? times : sum > 0 ? 3 : 2;
  const float re = from[2 * at] * factor, im = from[2 * at + 1] * factor;
  switch (which) {
    case 1:
    case 3:
      *real = -im;
      *imaginary = 0;
      break;
    case 8:
      *real = -re;
      *imaginary = 0;
      break;
    case 9:
      *real = re;
      *imaginary = im;
      break;
    default:
      *real = re;
      *imaginary = -im;
  }
}

static void same(const pt2_tensor *tensor, int which, int64_t rows, const float *x, const float *weight) {
  for (int64_t i = 0; i < element_count(tensor); ++i) {
    float real, imaginary, re, im;
    element(tensor, i, &real, &imaginary);
    expected(which, rows, x, weight, i, &re, &im);
    CHECK(real == re && imaginary == im);
  }
}

static void same_as_dlpack(pt2_tensor *tensor) {
  Managed *managed = NULL;
  OK(pt2_tensor_to_dlpack(tensor, &managed));
  CHECK(managed->data == pt2_tensor_data(tensor));
  managed->deleter(managed);
}

static pt2_tensor *complexes(float *data, size_t rank, const int64_t *sizes) {
  pt2_tensor *tensor = NULL;
  OK(pt2_tensor_from_memory(data, PT2_DTYPE_COMPLEX64, sizes, NULL, rank, NULL, NULL, NULL, &tensor));
  return tensor;
}

/* Reads the outputs by all interfaces, also from a clone. */
static void lazy_outputs(const pt2_model *model, int64_t rows, uint32_t seed) {
  float x[MOST], before[MOST], into[4][MOST];
  const int64_t sizes[2] = {rows, 2};
  pt2_tensor *weight = NULL, *outputs[OUTPUTS] = {NULL}, *places[OUTPUTS] = {NULL};
  fill(x, (size_t)rows * 4, seed);
  memcpy(before, x, sizeof x);
  pt2_tensor *input = complexes(x, 2, sizes);
  OK(pt2_get_parameter(model, "weight", &weight));
  OK(pt2_run(model, &input, 1, NULL, outputs, OUTPUTS));
  for (int i = 0; i < OUTPUTS; ++i) {
    pt2_tensor *host = NULL;
    same(outputs[i], i, rows, x, pt2_tensor_data(weight));
    same_as_dlpack(outputs[i]);
    OK(pt2_tensor_to_host(outputs[i], &host));
    same(host, i, rows, x, pt2_tensor_data(weight));
    pt2_tensor_free(host);
  }
  /* A resolved output has memory of its own. */
  memset(x, 0, sizeof x);
  same(outputs[0], 0, rows, before, pt2_tensor_data(weight));
  memcpy(x, before, sizeof x);

  const int64_t turned[2] = {2, rows};
  places[0] = complexes(into[0], 2, sizes);
  places[1] = floats(into[1], 2, sizes);
  places[6] = complexes(into[2], 2, turned);
  places[8] = floats(into[3], 2, sizes);
  OK(pt2_run_into(model, &input, 1, NULL, places, OUTPUTS));
  for (int i = 0; i < OUTPUTS; ++i) {
    if (places[i] != NULL) same(places[i], i, rows, x, pt2_tensor_data(weight));
    pt2_tensor_free(places[i]);
    pt2_tensor_free(outputs[i]);
  }
  /* Writes into the input's own memory, which is read first. */
  pt2_tensor *over[OUTPUTS] = {input};
  OK(pt2_run_into(model, &input, 1, NULL, over, OUTPUTS));
  same(input, 0, rows, before, pt2_tensor_data(weight));
  pt2_tensor_free(weight);
  pt2_tensor_free(input);
}

static void what_is_lazy_is_computed(void) {
  pt2_model *model = load(FOLDER "lazy.pt2"), *clone = NULL;
  OK(pt2_clone(model, &clone));
  CHECK(pt2_output_count(model) == OUTPUTS);
  for (int64_t rows = 4; rows <= 16; rows += 3) {
    lazy_outputs(model, rows, (uint32_t)rows);
    lazy_outputs(clone, rows, (uint32_t)rows + 99);
  }
  pt2_free(model);
  pt2_free(clone);
}

int main(void) {
  what_no_handle_describes();
  zeros_have_memory();
  what_is_lazy_is_computed();
  return 0;
}
