/* Broken files, broken inputs and NULL in every place: each returns its typed error, and the handle
 * still runs. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

enum { IMAGE = 3 * 32 * 32, SCORES = 10 };

static char folder[] = "/tmp/pt2-broken-XXXXXX", path[sizeof folder + 16];
static float images[2 * IMAGE], scores[2 * SCORES];
static pt2_model *model;

static void write_file(const char *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

static void refused(int32_t code, const char *words) {
  pt2_model *none = NULL;
  FAILS(code, words, pt2_load(path, NULL, &none));
  CHECK(none == NULL);
}

static void truncated_files(void) {
  FILE *file = fopen(archive("2.11.0/mini_resnet.pt2"), "rb");
  CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
  const size_t size = (size_t)ftell(file);
  char *bytes = malloc(size);
  rewind(file);
  CHECK(bytes != NULL && fread(bytes, 1, size, file) == size);
  fclose(file);
  for (size_t percent = 0; percent < 100; ++percent) {
    write_file(bytes, size * percent / 100);
    refused(PT2_ERROR_ARCHIVE, path);
  }
  write_file(bytes, size - 1);
  refused(PT2_ERROR_ARCHIVE, path);
  free(bytes);
}

static void files_that_are_no_archive(void) {
  /* Zip with one stored, empty entry "a". */
  static const unsigned char zip[] = {
      'P', 'K', 3,   4,   20,  0,   0,   0,   0, 0, 0,  0, 0x21, 0, 0, 0,  0, 0, 0, 0,  0,    0, 0, 0, 0,
      0,   1,   0,   0,   0,   'a', 'P', 'K', 1, 2, 20, 0, 20,   0, 0, 0,  0, 0, 0, 0,  0x21, 0, 0, 0, 0,
      0,   0,   0,   0,   0,   0,   0,   0,   0, 1, 0,  0, 0,    0, 0, 0,  0, 0, 0, 0,  0,    0, 0, 0, 0,
      0,   0,   'a', 'P', 'K', 5,   6,   0,   0, 0, 0,  1, 0,    1, 0, 47, 0, 0, 0, 31, 0,    0, 0, 0, 0};
  pt2_model *none = NULL;
  write_file("", 0);
  refused(PT2_ERROR_ARCHIVE, path);
  write_file("#!/bin/sh\n", 10);
  refused(PT2_ERROR_ARCHIVE, path);
  write_file((const char *)zip, sizeof zip);
  refused(PT2_ERROR_ARCHIVE, path);
  FAILS(PT2_ERROR_ARCHIVE, "directory", pt2_load(folder, NULL, &none));
  FAILS(PT2_ERROR_IO, "missing", pt2_load("/missing.pt2", NULL, &none));
  FAILS(PT2_ERROR_IO, "", pt2_load("", NULL, &none));
  FAILS(PT2_ERROR_IO, "\xef\xbf\xbd", pt2_load("/\xff.pt2", NULL, &none));
  unlink(path);
  CHECK(mkfifo(path, 0600) == 0);
  refused(PT2_ERROR_ARCHIVE, "pipe");
  FAILS(PT2_ERROR_ARCHIVE, "/dev/zero", pt2_load("/dev/zero", NULL, &none));
  CHECK(none == NULL);
}

static pt2_tensor *tensor(int32_t dtype, size_t rank, int64_t batch, int64_t channels) {
  static double memory[513 * IMAGE];
  const int64_t sizes[5] = {batch, channels, 32, 32, 1};
  pt2_tensor *made = NULL;
  OK(pt2_tensor_from_memory(memory, dtype, sizes, NULL, rank, "cpu", NULL, NULL, &made));
  return made;
}

static void wrong(pt2_tensor *input, const char *words) {
  pt2_tensor *output = NULL;
  pt2_error *error = pt2_run(model, &input, 1, NULL, &output, 1);
  CHECK(error != NULL && pt2_error_input(error) != NULL && strcmp(pt2_error_input(error), "args[0]") == 0);
  FAILS(PT2_ERROR_INPUT, words, error);
  CHECK(output == NULL);
  pt2_tensor_free(input);
}

static void batch_is_refused(int64_t batch) {
  char expected[128];
  pt2_dimension symbol = {sizeof symbol, 0, NULL, 0, 0};
  pt2_tensor *input = tensor(PT2_DTYPE_FLOAT32, 4, batch, 3), *output = NULL;
  OK(pt2_input_dimension(model, 0, 0, &symbol));
  snprintf(expected, sizeof expected, "input `args[0]`: dimension 0 is %d, expected at most 512 (symbol %s)",
           (int)batch, symbol.symbol);
  pt2_error *error = pt2_run(model, &input, 1, NULL, &output, 1);
  CHECK(strcmp(pt2_error_message(error), expected) == 0);
  FAILS(PT2_ERROR_INPUT, expected, error);
  pt2_tensor_free(input);
}

static void wrong_inputs(void) {
  pt2_tensor *inputs[2] = {tensor(PT2_DTYPE_FLOAT32, 4, 2, 3), NULL}, *output = NULL;
  batch_is_refused(513);
  wrong(tensor(PT2_DTYPE_FLOAT64, 4, 2, 3), "expected float32, got float64");
  wrong(tensor(PT2_DTYPE_INT32, 4, 2, 3), "expected float32, got int32");
  wrong(tensor(PT2_DTYPE_FLOAT32, 3, 2, 3), "expected 4 dimensions, got 3");
  wrong(tensor(PT2_DTYPE_FLOAT32, 5, 2, 3), "expected 4 dimensions, got 5");
  wrong(tensor(PT2_DTYPE_FLOAT32, 0, 2, 3), "expected 4 dimensions, got 0");
  wrong(tensor(PT2_DTYPE_FLOAT32, 4, 2, 4), "dimension 1 is 4, expected 3");
  wrong(tensor(PT2_DTYPE_FLOAT32, 4, 2, 0), "dimension 1 is 0, expected 3");
  wrong(NULL, "expected");
  FAILS(PT2_ERROR_INPUT, "takes 1 inputs, got 0", pt2_run(model, inputs, 0, NULL, &output, 1));
  FAILS(PT2_ERROR_INPUT, "takes 1 inputs, got 2", pt2_run(model, inputs, 2, NULL, &output, 1));
  FAILS(PT2_ERROR_INPUT, "got 18446744073709551615", pt2_run(model, inputs, SIZE_MAX, NULL, &output, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`output_count`", pt2_run(model, inputs, 1, NULL, &output, 0));
  FAILS(PT2_ERROR_ARGUMENT, "`output_count`", pt2_run(model, inputs, 1, NULL, &output, SIZE_MAX));
  CHECK(output == NULL);
  pt2_tensor_free(inputs[0]);
}

/* The functions for tensors, ports and DLPack are tested likewise in the files of their names. */
static void null_in_every_place(void) {
  pt2_tensor *input = tensor(PT2_DTYPE_FLOAT32, 4, 2, 3), *output = NULL;
  pt2_model *none = NULL;
  FAILS(PT2_ERROR_ARGUMENT, "`path`", pt2_load(NULL, NULL, &none));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_load(archive("2.11.0/mini_resnet.pt2"), NULL, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`model`", pt2_run(NULL, &input, 1, NULL, &output, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`inputs`", pt2_run(model, NULL, 1, NULL, &output, 1));
  FAILS(PT2_ERROR_ARGUMENT, "`outputs`", pt2_run(model, &input, 1, NULL, NULL, 1));
  CHECK(none == NULL && output == NULL);
  pt2_free(NULL);
  pt2_tensor_free(NULL);
  pt2_error_free(NULL);
  pt2_set_cpu_threads(0);
  pt2_set_cpu_threads(-1);
  pt2_tensor_free(input);
}

static void it_still_runs(void) {
  const int64_t sizes[4] = {2, 3, 32, 32};
  pt2_tensor *input = floats(images, 4, sizes), *output = NULL;
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  if (scores[0] == 0) memcpy(scores, pt2_tensor_data(output), sizeof scores);
  CHECK(same_floats(output, scores, 2 * SCORES));
  pt2_tensor_free(output);
  pt2_tensor_free(input);
}

int main(void) {
  CHECK(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/file.pt2", folder);
  fill(images, 2 * IMAGE, 3);
  model = load("2.11.0/mini_resnet.pt2");
  it_still_runs();
  truncated_files();
  files_that_are_no_archive();
  it_still_runs();
  wrong_inputs();
  it_still_runs();
  null_in_every_place();
  it_still_runs();
  pt2_free(model);
  unlink(path);
  rmdir(folder);
  return 0;
}
