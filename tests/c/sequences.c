/* Random sequences of calls of the C interface in several threads. Handles are NULL or valid, and
 * memory has its declared size; everything else is random. No call may crash, hang, fail without a
 * message, or report a bug of the library. Equal SEEDs produce equal sequences.
 *
 *   sequences [SECONDS [SEED [THREADS]]]      2 seconds by default; `make fuzz` runs it longer */
#define _GNU_SOURCE
#include <pthread.h>
#include <time.h>

#include "check.h"

enum { MODELS = 6, TENSORS = 24, ERRORS = 4, VIEWS = 4, PORTS = 64, THREADS = 16, TEXT = 4000 };

/* As in dlpack.h. */
typedef struct {
  uint32_t major, minor;
} dl_version;
typedef struct {
  void *data;
  int32_t device_type, device_id, rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} dl_tensor;
struct DLManagedTensorVersioned {
  dl_version version;
  void *manager;
  void (*deleter)(struct DLManagedTensorVersioned *);
  uint64_t flags;
  dl_tensor tensor;
};
typedef struct DLManagedTensorVersioned view;

/* Handles and random state of one thread. */
typedef struct {
  uint64_t random;
  pt2_model *models[MODELS];
  pt2_tensor *tensors[TENSORS];
  pt2_error *errors[ERRORS];
  view *views[VIEWS];
  char text[TEXT + 1];
  long calls, failed;
} hand;

static const char *const ARCHIVES[] = {"mini_resnet", "tree",  "mutation", "dtypes",   "cache",
                                       "returns",     "kinds", "loops",    "constants"};
enum { ARCHIVE_COUNT = sizeof ARCHIVES / sizeof *ARCHIVES };
static char paths[ARCHIVE_COUNT][4096];
static char *file;
static size_t file_size;
static double until;

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* xorshift64*. */
static uint64_t next(hand *hand) {
  hand->random ^= hand->random << 13;
  hand->random ^= hand->random >> 7;
  hand->random ^= hand->random << 17;
  return hand->random * 0x2545F4914F6CDD1Du;
}

static size_t below(hand *hand, size_t count) { return (size_t)((next(hand) >> 16) % count); }
static int one_in(hand *hand, size_t count) { return below(hand, count) == 0; }

static int64_t number(hand *hand) {
  static const int64_t numbers[] = {0,         1,         2,         3,         4,         5,        6,
                                    7,         8,         -1,        -2,        512,       513,      1 << 20,
                                    1ll << 31, 1ll << 32, 1ll << 61, 1ll << 62, INT64_MAX, INT64_MIN};
  return numbers[below(hand, sizeof numbers / sizeof *numbers)];
}

static const char *text(hand *hand) {
  static const char *const texts[] = {"",         "args[0]",   "result",     "\xff\xfe",
                                      "cpu",      "cuda",      "cuda:70000", "fc.weight",
                                      "INPUT__0", "OUTPUT__0", "aten::*",    "kwargs[\"extra\"][\"bias\"]"};
  const size_t place = below(hand, sizeof texts / sizeof *texts + 2);
  if (place < sizeof texts / sizeof *texts) return texts[place];
  if (one_in(hand, 2)) return NULL;
  memset(hand->text, 'a' + (int)below(hand, 3), TEXT);
  hand->text[TEXT] = '\0';
  return hand->text;
}

/* Returns a declared size for a structure of `real` bytes; libpt2 reads at most 8192. */
static size_t struct_size(hand *hand, size_t real) {
  const size_t sizes[] = {0, 8, 16, 40, real - 8, real + 8, 4096, 4097, (size_t)1 << 31, (size_t)-1};
  return one_in(hand, 4) ? sizes[below(hand, sizeof sizes / sizeof *sizes)] : real;
}

static pt2_model *any_model(hand *hand) {
  return one_in(hand, 20) ? NULL : hand->models[below(hand, MODELS)];
}
static pt2_tensor *any_tensor(hand *hand) {
  return one_in(hand, 12) ? NULL : hand->tensors[below(hand, TENSORS)];
}

static void keep_model(hand *hand, pt2_model *model) {
  if (model == NULL) return;
  const size_t place = below(hand, MODELS);
  pt2_free(hand->models[place]);
  hand->models[place] = model;
}

static void keep_tensor(hand *hand, pt2_tensor *tensor) {
  if (tensor == NULL) return;
  const size_t place = below(hand, TENSORS);
  pt2_tensor_free(hand->tensors[place]);
  hand->tensors[place] = tensor;
}

/* Counts a call and frees its error. */
static void took(hand *hand, pt2_error *error) {
  ++hand->calls;
  if (error == NULL) return;
  ++hand->failed;
  CHECK(pt2_error_message(error)[0] != '\0');
  if (pt2_error_code(error) == PT2_ERROR_INTERNAL) fprintf(stderr, "%s\n", pt2_error_message(error));
  CHECK(pt2_error_code(error) != PT2_ERROR_INTERNAL);
  const size_t place = below(hand, ERRORS);
  pt2_error_free(hand->errors[place]);
  hand->errors[place] = error;
}

static size_t element_size(int32_t dtype) {
  switch (dtype) {
    case PT2_DTYPE_UINT8:
    case PT2_DTYPE_INT8:
    case PT2_DTYPE_BOOL:
      return 1;
    case PT2_DTYPE_INT16:
    case PT2_DTYPE_FLOAT16:
    case PT2_DTYPE_BFLOAT16:
      return 2;
    case PT2_DTYPE_INT32:
    case PT2_DTYPE_FLOAT32:
      return 4;
    default:
      return 16; /* no element is larger */
  }
}

static void release(void *memory) { free(memory); }

/* Returns a tensor on memory that matches its description, or with an invalid description that is
 * rejected or never read. */
static pt2_tensor *described(hand *hand) {
  int64_t sizes[8], strides[8];
  const int32_t dtype = one_in(hand, 2) ? PT2_DTYPE_FLOAT32 : (int32_t)below(hand, 40);
  const size_t rank = below(hand, 5);
  const int strided = one_in(hand, 4), wild = one_in(hand, 6);
  size_t count = 1, last = 0;
  for (size_t d = 0; d < rank; ++d) {
    sizes[d] = wild ? number(hand) : (int64_t)below(hand, 7);
    strides[d] = wild ? number(hand) : (int64_t)below(hand, 9);
    if (wild) continue;
    count *= (size_t)sizes[d];
    if (sizes[d] > 0) last += (size_t)((sizes[d] - 1) * strides[d]);
  }
  const size_t bytes = wild ? 0 : (strided ? last + 1 : count) * element_size(dtype);
  char *memory = malloc(bytes + 1);
  CHECK(memory != NULL);
  memset(memory, one_in(hand, 3), bytes + 1);
  pt2_tensor *tensor = NULL;
  pt2_error *error = pt2_tensor_from_memory(wild || one_in(hand, 30) ? NULL : memory, dtype,
                                            rank ? sizes : NULL, strided ? strides : NULL, rank,
                                            one_in(hand, 8) ? text(hand) : NULL, release, memory, &tensor);
  if (error != NULL) free(memory);
  took(hand, error);
  return tensor;
}

/* Returns an input that fits a port, with dynamic dimensions of `size` within their bounds. */
static pt2_tensor *fitting(hand *hand, const pt2_model *model, size_t port, int64_t size) {
  pt2_port_info info;
  pt2_tensor *tensor = NULL;
  memset(&info, 0, sizeof info);
  info.struct_size = sizeof info;
  pt2_error *error = pt2_input_info(model, port, &info);
  took(hand, error);
  if (error != NULL || info.constant != NULL) return NULL;
  if (info.kind == PT2_KIND_INT) took(hand, pt2_tensor_from_int(size, &tensor));
  if (info.kind == PT2_KIND_FLOAT) took(hand, pt2_tensor_from_float(1.5, &tensor));
  if (info.kind == PT2_KIND_BOOL) took(hand, pt2_tensor_from_bool(1, &tensor));
  if (info.kind != PT2_KIND_TENSOR || info.rank > 8) return tensor;
  int64_t sizes[8];
  size_t count = 1;
  for (size_t d = 0; d < info.rank; ++d) {
    pt2_dimension dimension;
    memset(&dimension, 0, sizeof dimension);
    dimension.struct_size = sizeof dimension;
    error = pt2_input_dimension(model, port, d, &dimension);
    took(hand, error);
    if (error != NULL) return NULL;
    sizes[d] = dimension.size >= 0 ? dimension.size : size;
    count *= (size_t)sizes[d];
  }
  if (count > 1 << 20) return NULL;
  char *memory = calloc(count + 1, element_size(info.dtype));
  CHECK(memory != NULL);
  error = pt2_tensor_from_memory(memory, info.dtype, sizes, NULL, info.rank, NULL, release, memory, &tensor);
  if (error != NULL) free(memory);
  took(hand, error);
  return tensor;
}

static void delete_view(view *made) {
  free(made->tensor.data);
  free(made->tensor.shape);
  free(made);
}

/* Makes a DLPack tensor of another library's memory. */
static void foreign(hand *hand) {
  view *made = calloc(1, sizeof *made);
  pt2_tensor *tensor = NULL;
  CHECK(made != NULL);
  const size_t rank = below(hand, 4);
  size_t count = 1;
  made->version.major = one_in(hand, 8) ? (uint32_t)below(hand, 3) : 1;
  made->deleter = delete_view;
  made->flags = next(hand);
  made->tensor.rank = (int32_t)rank;
  made->tensor.shape = calloc(rank + 1, sizeof(int64_t));
  CHECK(made->tensor.shape != NULL);
  for (size_t d = 0; d < rank; ++d) count *= (size_t)(made->tensor.shape[d] = (int64_t)below(hand, 6));
  made->tensor.device_type = one_in(hand, 8) ? (int32_t)number(hand) : 1;
  made->tensor.code = one_in(hand, 3) ? (uint8_t)below(hand, 20) : 2;
  made->tensor.bits = made->tensor.code == 2 ? 32 : (uint8_t)(8 << below(hand, 5));
  made->tensor.lanes = one_in(hand, 10) ? (uint16_t)below(hand, 5) : 1;
  made->tensor.data = calloc(count + 1, 16 * 5);
  pt2_error *error = pt2_tensor_from_dlpack(made, &tensor);
  if (error != NULL) delete_view(made);
  took(hand, error);
  keep_tensor(hand, tensor);
}

static void exchange_views(hand *hand) {
  const size_t place = below(hand, VIEWS);
  view *made = NULL;
  pt2_tensor *tensor = NULL;
  if (one_in(hand, 2)) {
    took(hand, pt2_tensor_to_dlpack(any_tensor(hand), one_in(hand, 20) ? NULL : &made));
    if (made == NULL) return;
    if (hand->views[place] != NULL) hand->views[place]->deleter(hand->views[place]);
    hand->views[place] = made;
  } else {
    pt2_error *error = pt2_tensor_from_dlpack(hand->views[place], &tensor);
    if (error == NULL) hand->views[place] = NULL;
    took(hand, error);
    keep_tensor(hand, tensor);
  }
}

static void load_model(hand *hand) {
  union {
    pt2_load_options options;
    char bytes[8192];
  } given;
  pt2_model *model = NULL;
  const char *allowed[3] = {text(hand), text(hand), text(hand)};
  memset(&given, 0, sizeof given);
  given.options.struct_size = struct_size(hand, sizeof given.options);
  given.options.without_cuda = 1;
  given.options.optimization = (int32_t)(one_in(hand, 6) ? number(hand) : (int64_t)below(hand, 3));
  given.options.memory = (int32_t)(one_in(hand, 6) ? number(hand) : (int64_t)below(hand, 3));
  given.options.skip_checksums = one_in(hand, 2);
  if (one_in(hand, 8)) given.options.device = text(hand);
  if (one_in(hand, 12)) given.options.model = text(hand);
  if (one_in(hand, 12)) {
    given.options.allowed_operators = allowed;
    given.options.allowed_operator_count = below(hand, 4);
  }
  if (one_in(hand, 10)) given.options.form = (int32_t)number(hand);
  const char *path = one_in(hand, 15) ? text(hand) : paths[below(hand, ARCHIVE_COUNT)];
  took(hand, pt2_load(path, one_in(hand, 3) ? NULL : &given.options, one_in(hand, 25) ? NULL : &model));
  keep_model(hand, model);
}

/* Loads a file: whole, truncated, or with one bit flipped. */
static void load_bytes(hand *hand) {
  const size_t size = one_in(hand, 3) ? below(hand, file_size + 1) : file_size;
  pt2_load_options options;
  pt2_model *model = NULL;
  char *bytes = malloc(size + 1);
  CHECK(bytes != NULL);
  memcpy(bytes, file, size);
  if (size > 0 && one_in(hand, 3)) bytes[below(hand, size)] ^= (char)(1 << below(hand, 8));
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.without_cuda = 1;
  const size_t told = one_in(hand, 20) ? SIZE_MAX : size;
  took(hand, pt2_load_from_memory(one_in(hand, 20) ? NULL : bytes, told, &options, &model));
  free(bytes);
  keep_model(hand, model);
}

static void call_model(hand *hand) {
  pt2_model *model = any_model(hand);
  pt2_tensor *inputs[PORTS] = {NULL}, *outputs[PORTS] = {NULL};
  int made[PORTS] = {0};
  const size_t takes = pt2_input_count(model), gives = pt2_output_count(model);
  if (takes > PORTS || gives > PORTS) return;
  for (size_t i = 0; i < takes; ++i) {
    made[i] = !one_in(hand, 4);
    /* Never zero: a program that loops until a sum is large enough never ends on an empty tensor. */
    const int64_t size = one_in(hand, 3) ? (number(hand) & 63) | 1 : 2 + (int64_t)below(hand, 4);
    inputs[i] = made[i] ? fitting(hand, model, i, size) : any_tensor(hand);
  }
  const size_t said = one_in(hand, 15) ? below(hand, PORTS) : takes,
               room = one_in(hand, 15) ? below(hand, PORTS) : gives;
  union {
    pt2_run_options options;
    char bytes[8192];
  } given;
  memset(&given, 0, sizeof given);
  given.options.struct_size = struct_size(hand, sizeof given.options);
  const char *input_names[PORTS], *output_names[PORTS];
  const size_t wanted = below(hand, 5);
  for (size_t i = 0; i < PORTS; ++i) {
    static const char *const ordinals[] = {"INPUT__0", "INPUT__1", "INPUT__2", "INPUT__3"};
    input_names[i] = i < 4 && !one_in(hand, 10) ? ordinals[i] : text(hand);
    output_names[i] = one_in(hand, 2) ? "OUTPUT__0" : text(hand);
  }
  switch (below(hand, 6)) {
    default:
      took(hand, pt2_run(model, one_in(hand, 40) ? NULL : inputs, said,
                         one_in(hand, 3) ? &given.options : NULL, one_in(hand, 40) ? NULL : outputs, room));
      break;
    case 3:
      for (size_t i = 0; i < gives; ++i) outputs[i] = any_tensor(hand);
      took(hand, pt2_run_into(model, inputs, takes, NULL, outputs, gives));
      memset(outputs, 0, sizeof outputs);
      break;
    case 4:
      took(hand, pt2_warm(model, inputs, takes, NULL));
      break;
    case 5:
      took(hand, pt2_run_named(model, input_names, inputs, takes, output_names, outputs, wanted, NULL));
      break;
  }
  for (size_t i = 0; i < PORTS; ++i) keep_tensor(hand, outputs[i]);
  for (size_t i = 0; i < takes; ++i)
    if (made[i]) pt2_tensor_free(inputs[i]);
}

static void ask(hand *hand) {
  union {
    pt2_port_info port;
    pt2_dimension dimension;
    pt2_parameter parameter;
    pt2_statistics statistics;
    char bytes[8192];
  } room;
  pt2_model *model = any_model(hand);
  const size_t place = one_in(hand, 4) ? (size_t)number(hand) : below(hand, 4);
  memset(&room, 7, sizeof room);
  switch (below(hand, 6)) {
    case 0:
      pt2_model_device(model), pt2_model_name(model), pt2_model_mutates(model), pt2_model_form(model);
      pt2_model_unchecked(model, place), pt2_parameter_count(model);
      break;
    case 1:
      room.port.struct_size = struct_size(hand, sizeof room.port);
      took(hand, (one_in(hand, 2) ? pt2_input_info : pt2_output_info)(model, place, &room.port));
      break;
    case 2:
      room.dimension.struct_size = struct_size(hand, sizeof room.dimension);
      took(hand, (one_in(hand, 2) ? pt2_input_dimension : pt2_output_dimension)(model, below(hand, 3), place,
                                                                                &room.dimension));
      break;
    case 3:
      room.parameter.struct_size = struct_size(hand, sizeof room.parameter);
      took(hand, pt2_parameter_info(model, place, one_in(hand, 20) ? NULL : &room.parameter));
      break;
    case 4: {
      size_t index = 0;
      took(hand, (one_in(hand, 2) ? pt2_input_index : pt2_output_index)(model, text(hand),
                                                                        one_in(hand, 20) ? NULL : &index));
      break;
    }
    default:
      room.statistics.struct_size = struct_size(hand, sizeof room.statistics);
      took(hand, pt2_model_statistics(model, one_in(hand, 20) ? NULL : &room.statistics));
      break;
  }
}

/* Returns the name of a parameter, or another. */
static const char *parameter_name(hand *hand, const pt2_model *model) {
  pt2_parameter parameter;
  const size_t count = pt2_parameter_count(model);
  memset(&parameter, 0, sizeof parameter);
  parameter.struct_size = sizeof parameter;
  if (count == 0 || one_in(hand, 8)) return text(hand);
  pt2_error *error = pt2_parameter_info(model, below(hand, count), &parameter);
  took(hand, error);
  return error == NULL ? parameter.name : NULL;
}

static void exchange_parameters(hand *hand) {
  pt2_model *model = any_model(hand);
  pt2_tensor *tensor = NULL;
  const char *name = parameter_name(hand, model);
  switch (below(hand, 5)) {
    case 0:
      took(hand, pt2_get_parameter(model, name, one_in(hand, 20) ? NULL : &tensor));
      if (tensor != NULL && one_in(hand, 2))
        took(hand, pt2_set_parameter(one_in(hand, 3) ? any_model(hand) : model, name, tensor));
      keep_tensor(hand, tensor);
      break;
    case 1: {
      const char *names[2] = {name, text(hand)};
      pt2_tensor *values[2] = {any_tensor(hand), any_tensor(hand)};
      took(hand, pt2_swap_parameters(model, one_in(hand, 20) ? NULL : names, one_in(hand, 20) ? NULL : values,
                                     below(hand, 3)));
      break;
    }
    case 2:
      took(hand, pt2_reset_parameters(model, one_in(hand, 2) ? NULL : &name, one_in(hand, 2)));
      break;
    case 3:
      took(hand, pt2_share_parameters(model, any_model(hand)));
      break;
    default:
      took(hand, pt2_reset_state(model, NULL));
      break;
  }
}

static void handle_tensor(hand *hand) {
  pt2_tensor *given = any_tensor(hand), *tensor = NULL;
  pt2_tensor **place = one_in(hand, 20) ? NULL : &tensor;
  switch (below(hand, 6)) {
    case 0:
      took(hand, pt2_tensor_from_int(number(hand), place));
      break;
    case 1:
      took(hand, pt2_tensor_to_host(given, place));
      break;
    case 2:
      took(hand, pt2_tensor_share(given, place));
      break;
    case 3:
      took(hand, pt2_tensor_to_device(given, text(hand), NULL, place));
      break;
    case 4: {
      const size_t rank = pt2_tensor_rank(given);
      volatile int64_t sum = 0;
      for (size_t d = 0; d < rank; ++d) sum += pt2_tensor_sizes(given)[d] ^ pt2_tensor_strides(given)[d];
      CHECK(given == NULL || pt2_tensor_device(given) != NULL);
      (void)pt2_tensor_dtype(given), (void)pt2_tensor_data(given);
      break;
    }
    default: {
      const size_t old = below(hand, TENSORS);
      pt2_tensor_free(hand->tensors[old]);
      hand->tensors[old] = NULL;
    }
  }
  keep_tensor(hand, tensor);
}

static void step(hand *hand) {
  pt2_model *clone = NULL;
  switch (below(hand, 24)) {
    case 0:
    case 1:
      keep_tensor(hand, described(hand));
      break;
    case 2:
      foreign(hand);
      break;
    case 3:
      exchange_views(hand);
      break;
    case 4:
      load_model(hand);
      break;
    case 5:
      load_bytes(hand);
      break;
    case 6:
    case 7:
    case 8:
    case 9:
      ask(hand);
      break;
    case 10:
    case 11:
    case 12:
      exchange_parameters(hand);
      break;
    case 13:
      took(hand, pt2_clone(any_model(hand), one_in(hand, 20) ? NULL : &clone));
      keep_model(hand, clone);
      break;
    case 14: {
      const size_t place = below(hand, MODELS);
      pt2_free(hand->models[place]);
      hand->models[place] = NULL;
      break;
    }
    case 15: {
      const size_t place = below(hand, ERRORS);
      (void)pt2_error_input(hand->errors[place]);
      pt2_error_free(hand->errors[place]);
      hand->errors[place] = NULL;
      break;
    }
    case 16:
      took(hand, pt2_load_op_library(one_in(hand, 3) ? "/nonexistent.so" : text(hand)));
      break;
    case 17:
    case 18:
    case 19:
      handle_tensor(hand);
      break;
    default:
      call_model(hand);
      break;
  }
}

static void *play(void *argument) {
  hand *hand = argument;
  for (int turn = 0; turn < 8; ++turn) (void)next(hand);
  while (seconds() < until) step(hand);
  for (size_t i = 0; i < MODELS; ++i) pt2_free(hand->models[i]);
  for (size_t i = 0; i < TENSORS; ++i) pt2_tensor_free(hand->tensors[i]);
  for (size_t i = 0; i < ERRORS; ++i) pt2_error_free(hand->errors[i]);
  for (size_t i = 0; i < VIEWS; ++i)
    if (hand->views[i] != NULL) hand->views[i]->deleter(hand->views[i]);
  return NULL;
}

int main(int count, char **words) {
  const double length = count > 1 ? atof(words[1]) : 2;
  const uint64_t seed = count > 2 ? strtoull(words[2], NULL, 10) : 1;
  const size_t threads = count > 3 ? (size_t)atoi(words[3]) : 3;
  static hand hands[THREADS];
  pthread_t running[THREADS];
  CHECK(threads > 0 && threads <= THREADS);
  for (size_t i = 0; i < ARCHIVE_COUNT; ++i) {
    char name[64];
    snprintf(name, sizeof name, "2.11.0/%s.pt2", ARCHIVES[i]);
    snprintf(paths[i], sizeof paths[i], "%s", archive(name));
  }
  FILE *source = fopen(paths[1], "rb");
  CHECK(source != NULL && fseek(source, 0, SEEK_END) == 0);
  file_size = (size_t)ftell(source);
  file = malloc(file_size);
  CHECK(file != NULL && fseek(source, 0, SEEK_SET) == 0 && fread(file, 1, file_size, source) == file_size);
  fclose(source);
  pt2_free(load("2.11.0/mini_resnet.pt2"));
  pt2_set_cpu_threads(1);
  until = seconds() + length;
  for (size_t i = 0; i < threads; ++i) {
    hands[i].random = (seed * THREADS + i + 1) * 0x9E3779B97F4A7C15u;
    CHECK(pthread_create(&running[i], NULL, play, &hands[i]) == 0);
  }
  long calls = 0, failed = 0;
  for (size_t i = 0; i < threads; ++i) {
    CHECK(pthread_join(running[i], NULL) == 0);
    calls += hands[i].calls;
    failed += hands[i].failed;
  }
  printf("seed %llu, %zu threads: %ld calls that can fail, %ld failed\n", (unsigned long long)seed, threads,
         calls, failed);
  CHECK(calls > 100 && failed > 0 && failed < calls);
  free(file);
  return 0;
}
