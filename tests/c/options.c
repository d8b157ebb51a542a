/* Options and their versions: sizes of structs, invalid numbers and unknown names. */
#include "check.h"

#define PATH archive("2.11.0/mini_resnet.pt2")
#define LOAD(options) pt2_load(PATH, (const void *)(options), &model)

static pt2_model *model;

static pt2_load_options defaults(void) {
  pt2_load_options options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  return options;
}

static void loads(const void *options) {
  model = NULL;
  OK(LOAD(options));
  pt2_free(model);
  model = NULL;
}

static void zero_means_the_default(void) {
  const pt2_load_options options = defaults();
  loads(NULL);
  loads(&options);
}

static void sizes_of_other_versions(void) {
  static const size_t wrong[] = {0,       1, 7, 8, 12, 39, 41, 48, 55, 57, 72, 95, 97, 4097, (size_t)1 << 31,
                                 SIZE_MAX};
  struct {
    pt2_load_options known;
    char unknown[64];
  } larger;
  memset(&larger, 0, sizeof larger);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    larger.known.struct_size = wrong[i];
    FAILS(PT2_ERROR_ARGUMENT, "struct_size", LOAD(&larger));
  }
  larger.known.struct_size = sizeof larger;
  loads(&larger);
  larger.unknown[63] = 1;
  FAILS(PT2_ERROR_ARGUMENT, "does not know", LOAD(&larger));
}

/* A program compiled with an older header passes that many bytes; later ones are not read. */
static void earlier_versions(void) {
  static const size_t ends[] = {40, 56, 64, 96};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; ++i) {
    pt2_load_options options = defaults();
    memset((char *)&options + ends[i], 1, sizeof options - ends[i]);
    options.struct_size = ends[i];
    loads(&options);
  }
}

static void tuning_is_for_cuda_devices(void) {
  pt2_load_options options = defaults();
  options.device = "cpu";
  options.tuning_folder = "/no/such/folder";
  loads(&options);
}

static void an_options_struct_need_not_be_aligned(void) {
  char bytes[sizeof(pt2_load_options) + 1];
  const pt2_load_options options = defaults();
  memcpy(bytes + 1, &options, sizeof options);
  loads(bytes + 1);
}

static void what_does_not_exist(void) {
  pt2_load_options options = defaults();
  options.optimization = 3;
  FAILS(PT2_ERROR_ARGUMENT, "`options.optimization`: 3", LOAD(&options));
  options.optimization = -1;
  FAILS(PT2_ERROR_ARGUMENT, "`options.optimization`: -1", LOAD(&options));
  options = defaults();
  options.memory = 3;
  FAILS(PT2_ERROR_ARGUMENT, "`options.memory`", LOAD(&options));
  options = defaults();
  options.form = 3;
  FAILS(PT2_ERROR_ARGUMENT, "`options.form`", LOAD(&options));
  options.form = PT2_FORM_COMPILED;
  FAILS(PT2_ERROR_ARGUMENT, "`form`: the archive holds no compiled code", LOAD(&options));
  options = defaults();
  options.native_code_sha256 = "ba78";
  FAILS(PT2_ERROR_ARGUMENT, "`options.native_code_sha256`", LOAD(&options));
  options = defaults();
  options.device = "gpu";
  FAILS(PT2_ERROR_ARGUMENT, "`options.device`: `gpu` is no device", LOAD(&options));
  options.device = "";
  FAILS(PT2_ERROR_ARGUMENT, "`options.device`", LOAD(&options));
  options.device = "\xc3";
  FAILS(PT2_ERROR_ARGUMENT, "`options.device`: it is not UTF-8", LOAD(&options));
  options.device = "cuda:65535";
  FAILS(PT2_ERROR_DEVICE, "cuda:65535", LOAD(&options));
  options = defaults();
  options.model = "another";
  FAILS(PT2_ERROR_ARGUMENT, "name one of the models in the archive: model", LOAD(&options));
  CHECK(model == NULL);
}

static void every_choice_that_exists(void) {
  for (int32_t memory = 0; memory <= 2; ++memory) {
    for (int32_t optimization = 0; optimization <= 2; ++optimization) {
      pt2_load_options options = defaults();
      options.memory = memory;
      options.optimization = optimization;
      options.device = memory == 0 ? "cpu" : "cpu:0";
      options.model = "model";
      options.skip_checksums = optimization;
      loads(&options);
    }
  }
}

static void run_options(void) {
  static const size_t wrong[] = {0, 8, 15, 4097, SIZE_MAX};
  struct {
    pt2_run_options known;
    char unknown[16];
  } options;
  float data[2 * 3 * 32 * 32];
  const int64_t sizes[4] = {2, 3, 32, 32};
  pt2_tensor *input = floats(data, 4, sizes), *output = NULL;
  fill(data, sizeof data / sizeof *data, 1);
  memset(&options, 0, sizeof options);
  model = load("2.11.0/mini_resnet.pt2");
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    options.known.struct_size = wrong[i];
    FAILS(PT2_ERROR_ARGUMENT, "struct_size", pt2_run(model, &input, 1, &options.known, &output, 1));
  }
  options.known.struct_size = sizeof options;
  options.known.stream = &options; /* ignored on the CPU */
  OK(pt2_run(model, &input, 1, &options.known, &output, 1));
  pt2_tensor_free(output);
  options.unknown[0] = 1;
  FAILS(PT2_ERROR_ARGUMENT, "does not know", pt2_run(model, &input, 1, &options.known, &output, 1));
  pt2_tensor_free(input);
  pt2_free(model);
}

int main(void) {
  zero_means_the_default();
  sizes_of_other_versions();
  earlier_versions();
  tuning_is_for_cuda_devices();
  an_options_struct_need_not_be_aligned();
  what_does_not_exist();
  every_choice_that_exists();
  run_options();
  return 0;
}
