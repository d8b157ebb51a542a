/* Runs archives at the exact level. Built once, it runs with every libtorch that libpt2 finds.
 *
 *     run_calls (ARCHIVE CALLS OUTPUTS)...
 *
 * CALLS holds the inputs of calls in a row; OUTPUTS receives theirs. Both are a count of calls and,
 * for each call, a count of tensors and the tensors: dtype (0 for none), rank, sizes, count of bytes
 * and the bytes. All numbers are int64. Prints the files of libtorch and of the engine at the end.
 */
#include "../c/check.h"

enum { MAX_TENSORS = 64, MAX_RANK = 16 };

static int64_t read_number(FILE *file) {
  int64_t number;
  CHECK(fread(&number, sizeof number, 1, file) == 1);
  return number;
}

static void write_number(FILE *file, int64_t number) {
  CHECK(fwrite(&number, sizeof number, 1, file) == 1);
}

static FILE *open_file(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  CHECK(file != NULL);
  return file;
}

static void free_memory(void *context) {
  free(context);
}

static pt2_tensor *read_tensor(FILE *file) {
  const int32_t dtype = (int32_t)read_number(file);
  const int64_t rank = read_number(file);
  CHECK(0 <= rank && rank <= MAX_RANK);
  int64_t sizes[MAX_RANK];
  for (int64_t d = 0; d < rank; ++d) sizes[d] = read_number(file);
  const size_t size = (size_t)read_number(file);
  if (dtype == 0) return NULL;
  char *data = malloc(size + 1);
  CHECK(data != NULL && fread(data, 1, size, file) == size);
  pt2_tensor *tensor = NULL;
  OK(pt2_tensor_from_memory(data, dtype, sizes, NULL, (size_t)rank, NULL, free_memory, data, &tensor));
  return tensor;
}

static int64_t element_size(int32_t dtype) {
  switch (dtype) {
    case PT2_DTYPE_BOOL:
    case PT2_DTYPE_INT8:
    case PT2_DTYPE_UINT8:
      return 1;
    case PT2_DTYPE_BFLOAT16:
    case PT2_DTYPE_FLOAT16:
    case PT2_DTYPE_INT16:
      return 2;
    case PT2_DTYPE_FLOAT32:
    case PT2_DTYPE_INT32:
      return 4;
    case PT2_DTYPE_COMPLEX64:
    case PT2_DTYPE_FLOAT64:
    case PT2_DTYPE_INT64:
      return 8;
    default:
      fprintf(stderr, "an output has dtype %d\n", (int)dtype);
      exit(1);
  }
}

static void write_tensor(FILE *file, const pt2_tensor *tensor) {
  if (tensor == NULL) {
    for (int field = 0; field < 3; ++field) write_number(file, 0);
    return;
  }
  pt2_tensor *host = NULL;
  OK(pt2_tensor_to_host(tensor, &host));
  const size_t rank = pt2_tensor_rank(host);
  const int64_t size = element_count(host) * element_size(pt2_tensor_dtype(host));
  write_number(file, pt2_tensor_dtype(host));
  write_number(file, (int64_t)rank);
  for (size_t d = 0; d < rank; ++d) write_number(file, pt2_tensor_sizes(host)[d]);
  write_number(file, size);
  CHECK(size == 0 || fwrite(pt2_tensor_data(host), 1, (size_t)size, file) == (size_t)size);
  pt2_tensor_free(host);
}

static void run_call(const pt2_model *model, FILE *calls, FILE *results) {
  pt2_tensor *inputs[MAX_TENSORS], *outputs[MAX_TENSORS] = {NULL};
  const size_t input_count = (size_t)read_number(calls), output_count = pt2_output_count(model);
  CHECK(input_count <= MAX_TENSORS && output_count <= MAX_TENSORS);
  for (size_t i = 0; i < input_count; ++i) inputs[i] = read_tensor(calls);
  OK(pt2_run(model, inputs, input_count, NULL, outputs, output_count));
  write_number(results, (int64_t)output_count);
  for (size_t i = 0; i < output_count; ++i) {
    write_tensor(results, outputs[i]);
    pt2_tensor_free(outputs[i]);
  }
  for (size_t i = 0; i < input_count; ++i) pt2_tensor_free(inputs[i]);
}

static void run_archive(const char *path, const char *calls_path, const char *results_path) {
  pt2_load_options options = {.struct_size = sizeof options, .optimization = PT2_OPTIMIZATION_EXACT};
  pt2_model *model = NULL;
  OK(pt2_load(path, &options, &model));
  FILE *calls = open_file(calls_path, "rb"), *results = open_file(results_path, "wb");
  const int64_t call_count = read_number(calls);
  write_number(results, call_count);
  for (int64_t call = 0; call < call_count; ++call) run_call(model, calls, results);
  fclose(calls);
  CHECK(fclose(results) == 0);
  pt2_free(model);
}

/* Prints the path of each mapped file whose name begins like this. */
static void print_mapped(const char *name) {
  FILE *maps = open_file("/proc/self/maps", "r");
  char line[4096], last[4096] = "";
  while (fgets(line, sizeof line, maps) != NULL) {
    const char *path = strchr(line, '/');
    if (path == NULL || strncmp(strrchr(path, '/') + 1, name, strlen(name)) != 0 || strcmp(path, last) == 0)
      continue;
    strcpy(last, path);
    fputs(path, stdout);
  }
  fclose(maps);
}

int main(int argc, char **argv) {
  CHECK(argc > 3 && argc % 3 == 1);
  for (int i = 1; i < argc; i += 3) run_archive(argv[i], argv[i + 1], argv[i + 2]);
  print_mapped("libtorch_cpu.so");
  print_mapped("libpt2_core");
  return 0;
}
