/* DLPack both ways, with the struct of dlpack/dlpack.h 1.x. */
#include "check.h"

typedef struct DLManagedTensorVersioned {
  struct {
    uint32_t major, minor;
  } version;
  void *manager;
  void (*deleter)(struct DLManagedTensorVersioned *self);
  uint64_t flags;
  struct {
    void *data;
    struct {
      int32_t type, index;
    } device;
    int32_t rank;
    struct {
      uint8_t code, bits;
      uint16_t lanes;
    } dtype;
    int64_t *sizes, *strides;
    uint64_t byte_offset;
  } tensor;
} Managed;

static int deleted;

static void count_deletion(Managed *self) {
  CHECK(self->manager == &deleted);
  ++deleted;
}

static float numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
static int64_t sizes[2] = {2, 3}, strides[2] = {1, 2};

static Managed managed(void) {
  Managed made;
  memset(&made, 0, sizeof made);
  made.version.major = 1;
  made.manager = &deleted;
  made.deleter = count_deletion;
  made.tensor.data = numbers;
  made.tensor.device.type = 1;
  made.tensor.rank = 2;
  made.tensor.dtype.code = 2;
  made.tensor.dtype.bits = 32;
  made.tensor.dtype.lanes = 1;
  made.tensor.sizes = sizes;
  return made;
}

static void a_tensor_is_taken_over(void) {
  const float dense[6] = {0, 1, 2, 3, 4, 5}, turned[6] = {0, 2, 4, 1, 3, 5}, moved[6] = {2, 3, 4, 5, 6, 7};
  Managed given = managed();
  pt2_tensor *tensor = NULL, *host = NULL;
  deleted = 0;
  OK(pt2_tensor_from_dlpack(&given, &tensor));
  CHECK(pt2_tensor_data(tensor) == numbers && same_floats(tensor, dense, 6));
  pt2_tensor_free(tensor);
  CHECK(deleted == 1);

  given.tensor.strides = strides;
  OK(pt2_tensor_from_dlpack(&given, &tensor));
  OK(pt2_tensor_to_host(tensor, &host));
  CHECK(same_floats(host, turned, 6));
  pt2_tensor_free(tensor);
  CHECK(deleted == 2);
  pt2_tensor_free(host);

  given.tensor.strides = NULL;
  given.tensor.byte_offset = 2 * sizeof(float);
  given.deleter = NULL;
  OK(pt2_tensor_from_dlpack(&given, &tensor));
  CHECK(same_floats(tensor, moved, 6));
  pt2_tensor_free(tensor);
  CHECK(deleted == 2);
}

static void what_is_refused_stays_the_callers(void) {
  static int64_t none[2] = {0, 3}, large[1] = {((int64_t)1 << 61) - 1};
  static int64_t negative[2] = {2, -3}, huge[2] = {INT64_MAX, INT64_MAX}, far[2] = {INT64_MAX, 1};
  pt2_tensor *tensor = NULL;
  Managed given = managed();
  deleted = 0;
#define REFUSED(code, words, change)                             \
  do {                                                           \
    given = managed();                                           \
    change;                                                      \
    FAILS(code, words, pt2_tensor_from_dlpack(&given, &tensor)); \
  } while (0)
  REFUSED(PT2_ERROR_UNSUPPORTED, "DLPack 2.0", given.version.major = 2);
  REFUSED(PT2_ERROR_UNSUPPORTED, "DLPack 0.8", (given.version.major = 0, given.version.minor = 8));
  REFUSED(PT2_ERROR_ARGUMENT, "dimensions", given.tensor.rank = -1);
  REFUSED(PT2_ERROR_ARGUMENT, "dimensions", given.tensor.rank = 65);
  REFUSED(PT2_ERROR_ARGUMENT, "NULL", given.tensor.sizes = NULL);
  REFUSED(PT2_ERROR_ARGUMENT, "NULL", given.tensor.data = NULL);
  REFUSED(PT2_ERROR_ARGUMENT, "NULL, but its byte offset is 64",
          (given.tensor.data = NULL, given.tensor.byte_offset = 64));
  REFUSED(PT2_ERROR_ARGUMENT, "NULL, but its byte offset is 64",
          (given.tensor.data = NULL, given.tensor.byte_offset = 64, given.tensor.sizes = none));
  REFUSED(PT2_ERROR_ARGUMENT, "address space", given.tensor.byte_offset = UINT64_MAX - 3);
  REFUSED(PT2_ERROR_ARGUMENT, "address space", given.tensor.byte_offset = (uint64_t)1 << 63);
  REFUSED(PT2_ERROR_ARGUMENT, "address space", given.tensor.byte_offset = INT64_MAX - 7);
  REFUSED(PT2_ERROR_ARGUMENT, "address space",
          (given.tensor.rank = 1, given.tensor.sizes = large, given.tensor.byte_offset = 4));
  REFUSED(PT2_ERROR_ARGUMENT, "address space", (given.tensor.rank = 1, given.tensor.sizes = large));
  REFUSED(PT2_ERROR_ARGUMENT, "aligned", given.tensor.byte_offset = 2);
  REFUSED(PT2_ERROR_ARGUMENT, "negative", given.tensor.sizes = negative);
  REFUSED(PT2_ERROR_ARGUMENT, "elements", given.tensor.sizes = huge);
  REFUSED(PT2_ERROR_ARGUMENT, "wrap", given.tensor.strides = far);
  REFUSED(PT2_ERROR_ARGUMENT, "negative", given.tensor.strides = negative);
  REFUSED(PT2_ERROR_ARGUMENT, "-2147483648 dimensions", given.tensor.rank = INT32_MIN);
  REFUSED(PT2_ERROR_ARGUMENT, "`managed`", given.tensor.sizes = (int64_t *)((char *)sizes + 1));
  REFUSED(PT2_ERROR_UNSUPPORTED, "0 lanes", given.tensor.dtype.lanes = 0);
  REFUSED(PT2_ERROR_UNSUPPORTED, "0 bits", given.tensor.dtype.bits = 0);
  REFUSED(PT2_ERROR_UNSUPPORTED, "code 6, 1 bits",
          (given.tensor.dtype.code = 6, given.tensor.dtype.bits = 1));
  REFUSED(PT2_ERROR_DEVICE, "DLPack 2:-1", (given.tensor.device.type = 2, given.tensor.device.index = -1));
  REFUSED(PT2_ERROR_DEVICE, "DLPack -1:0", given.tensor.device.type = -1);
  REFUSED(PT2_ERROR_UNSUPPORTED, "code 3", given.tensor.dtype.code = 3);
  REFUSED(PT2_ERROR_UNSUPPORTED, "31 bits", given.tensor.dtype.bits = 31);
  REFUSED(PT2_ERROR_UNSUPPORTED, "4 lanes", given.tensor.dtype.lanes = 4);
  REFUSED(PT2_ERROR_DEVICE, "DLPack 7:0", given.tensor.device.type = 7);
  REFUSED(PT2_ERROR_DEVICE, "cuda:999", (given.tensor.device.type = 2, given.tensor.device.index = 999));
  given = managed();
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_from_dlpack(&given, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`managed`", pt2_tensor_from_dlpack(NULL, &tensor));
  CHECK(tensor == NULL && deleted == 0);

  /* An empty tensor reads no memory, so NULL is valid. */
  given = managed();
  given.tensor.data = NULL;
  given.tensor.sizes = none;
  OK(pt2_tensor_from_dlpack(&given, &tensor));
  CHECK(pt2_tensor_data(tensor) == NULL);
  pt2_tensor_free(tensor);
  CHECK(deleted == 1);
}

static void released(void *context) { ++*(int *)context; }

static void a_tensor_is_given_out(void) {
  int count = 0;
  pt2_tensor *tensor = NULL;
  Managed *given = NULL;
  OK(pt2_tensor_from_memory(numbers, PT2_DTYPE_FLOAT32, sizes, strides, 2, NULL, released, &count, &tensor));
  OK(pt2_tensor_to_dlpack(tensor, &given));
  FAILS(PT2_ERROR_ARGUMENT, "`managed`", pt2_tensor_to_dlpack(tensor, NULL));
  FAILS(PT2_ERROR_ARGUMENT, "`tensor`", pt2_tensor_to_dlpack(NULL, &given));
  pt2_tensor_free(tensor);
  CHECK(given->version.major == 1 && given->tensor.device.type == 1 && given->tensor.rank == 2);
  CHECK(given->tensor.dtype.code == 2 && given->tensor.dtype.bits == 32 && given->tensor.dtype.lanes == 1);
  CHECK(given->tensor.sizes[0] == 2 && given->tensor.sizes[1] == 3);
  CHECK(given->tensor.strides[0] == 1 && given->tensor.strides[1] == 2);
  CHECK((char *)given->tensor.data + given->tensor.byte_offset == (char *)numbers);
  CHECK(count == 0);
  given->deleter(given);
  CHECK(count == 1);
}

static void an_output_goes_round(void) {
  float data[3] = {1, 2, 3}, before[3];
  const int64_t row[2] = {1, 3};
  pt2_model *model = load("2.11.0/mutation.pt2");
  pt2_tensor *input = floats(data, 2, row), *output = NULL, *back = NULL;
  Managed *given = NULL;
  OK(pt2_run(model, &input, 1, NULL, &output, 1));
  memcpy(before, pt2_tensor_data(output), sizeof before);
  OK(pt2_tensor_to_dlpack(output, &given));
  pt2_tensor_free(output);
  pt2_tensor_free(input);
  pt2_free(model);
  OK(pt2_tensor_from_dlpack(given, &back));
  CHECK(same_floats(back, before, 3));
  pt2_tensor_free(back);
}

int main(void) {
  a_tensor_is_taken_over();
  what_is_refused_stays_the_callers();
  a_tensor_is_given_out();
  an_output_goes_round();
  return 0;
}
