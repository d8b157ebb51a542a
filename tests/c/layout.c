/* ABI of programs compiled with version 1 of the header: sizes, offsets and numbers. */
#include "check.h"

#define FROZEN(condition) extern char frozen[(condition) ? 1 : -1]

FROZEN(sizeof(void *) == 8);

FROZEN(sizeof(pt2_load_options) == 104);
FROZEN(offsetof(pt2_load_options, struct_size) == 0);
FROZEN(offsetof(pt2_load_options, device) == 8);
FROZEN(offsetof(pt2_load_options, model) == 16);
FROZEN(offsetof(pt2_load_options, optimization) == 24);
FROZEN(offsetof(pt2_load_options, memory) == 28);
FROZEN(offsetof(pt2_load_options, skip_checksums) == 32);
FROZEN(offsetof(pt2_load_options, without_cuda) == 36);
FROZEN(offsetof(pt2_load_options, allowed_operators) == 40); /* where version 1 ended */
FROZEN(offsetof(pt2_load_options, allowed_operator_count) == 48);
FROZEN(offsetof(pt2_load_options, cuda_graphs) == 56);       /* where version 2 ended */
FROZEN(offsetof(pt2_load_options, allow_native_code) == 64); /* where version 3 ended */
FROZEN(offsetof(pt2_load_options, form) == 68);
FROZEN(offsetof(pt2_load_options, native_code_sha256) == 72);
FROZEN(offsetof(pt2_load_options, instances) == 80);
FROZEN(offsetof(pt2_load_options, kernel_folder) == 88);
FROZEN(offsetof(pt2_load_options, tuning_folder) == 96); /* where version 4 ended */

FROZEN(sizeof(pt2_run_options) == 16);
FROZEN(offsetof(pt2_run_options, struct_size) == 0);
FROZEN(offsetof(pt2_run_options, stream) == 8);

FROZEN(sizeof(pt2_statistics) == 32);
FROZEN(offsetof(pt2_statistics, struct_size) == 0);
FROZEN(offsetof(pt2_statistics, cuda_graphs) == 8);
FROZEN(offsetof(pt2_statistics, cuda_graph_launches) == 16);
FROZEN(offsetof(pt2_statistics, cuda_graph_refusal) == 24);

FROZEN(sizeof(pt2_port_info) == 40);
FROZEN(offsetof(pt2_port_info, struct_size) == 0);
FROZEN(offsetof(pt2_port_info, name) == 8);
FROZEN(offsetof(pt2_port_info, kind) == 16);
FROZEN(offsetof(pt2_port_info, dtype) == 20);
FROZEN(offsetof(pt2_port_info, rank) == 24);
FROZEN(offsetof(pt2_port_info, constant) == 32); /* where version 1 ended */

FROZEN(sizeof(pt2_dimension) == 40);
FROZEN(offsetof(pt2_dimension, struct_size) == 0);
FROZEN(offsetof(pt2_dimension, size) == 8);
FROZEN(offsetof(pt2_dimension, symbol) == 16);
FROZEN(offsetof(pt2_dimension, min) == 24);
FROZEN(offsetof(pt2_dimension, max) == 32);

FROZEN(sizeof(pt2_parameter) == 48);
FROZEN(offsetof(pt2_parameter, struct_size) == 0);
FROZEN(offsetof(pt2_parameter, name) == 8);
FROZEN(offsetof(pt2_parameter, kind) == 16);
FROZEN(offsetof(pt2_parameter, dtype) == 20);
FROZEN(offsetof(pt2_parameter, rank) == 24);
FROZEN(offsetof(pt2_parameter, sizes) == 32);
FROZEN(offsetof(pt2_parameter, strides) == 40);

FROZEN(PT2_ERROR_ARGUMENT == 1 && PT2_ERROR_IO == 2 && PT2_ERROR_ARCHIVE == 3 && PT2_ERROR_CHECKSUM == 4);
FROZEN(PT2_ERROR_UNSUPPORTED == 5 && PT2_ERROR_PROGRAM == 6 && PT2_ERROR_WEIGHT == 7);
FROZEN(PT2_ERROR_MISSING_OPERATOR == 8 && PT2_ERROR_INPUT == 9 && PT2_ERROR_DEVICE == 10);
FROZEN(PT2_ERROR_DEVICE_LOST == 11 && PT2_ERROR_OUT_OF_MEMORY == 12 && PT2_ERROR_DEVICE_OUT_OF_MEMORY == 13);
FROZEN(PT2_ERROR_OPERATOR == 14 && PT2_ERROR_INTERNAL == 15 && PT2_ERROR_FORBIDDEN_OPERATOR == 16);
FROZEN(PT2_ERROR_OTHER_MACHINE == 17 && PT2_ERROR_NATIVE_CODE == 18 && PT2_ERROR_LIBTORCH == 19);
FROZEN(PT2_ERROR_FORKED == 20 && PT2_ERROR_EXITING == 21);

FROZEN(PT2_DTYPE_UINT8 == 1 && PT2_DTYPE_INT8 == 2 && PT2_DTYPE_INT16 == 3 && PT2_DTYPE_INT32 == 4);
FROZEN(PT2_DTYPE_INT64 == 5 && PT2_DTYPE_FLOAT16 == 6 && PT2_DTYPE_FLOAT32 == 7 && PT2_DTYPE_FLOAT64 == 8);
FROZEN(PT2_DTYPE_COMPLEX32 == 9 && PT2_DTYPE_COMPLEX64 == 10 && PT2_DTYPE_COMPLEX128 == 11);
FROZEN(PT2_DTYPE_BOOL == 12 && PT2_DTYPE_BFLOAT16 == 13 && PT2_DTYPE_UINT16 == 28);
FROZEN(PT2_DTYPE_FLOAT8_E4M3FN == 29 && PT2_DTYPE_FLOAT8_E5M2 == 30 && PT2_DTYPE_FLOAT8_E4M3FNUZ == 31);
FROZEN(PT2_DTYPE_FLOAT8_E5M2FNUZ == 32 && PT2_DTYPE_FLOAT8_E8M0FNU == 33);
FROZEN(PT2_DTYPE_UINT32 == 34 && PT2_DTYPE_UINT64 == 35);

FROZEN(PT2_OPTIMIZATION_DEFAULT == 0 && PT2_OPTIMIZATION_EXACT == 1 && PT2_OPTIMIZATION_FAST == 2);
FROZEN(PT2_MEMORY_AUTO == 0 && PT2_MEMORY_MAP == 1 && PT2_MEMORY_COPY == 2);
FROZEN(PT2_FORM_AUTO == 0 && PT2_FORM_EXPORTED == 1 && PT2_FORM_COMPILED == 2);
FROZEN(PT2_KIND_TENSOR == 1 && PT2_KIND_INT == 2 && PT2_KIND_FLOAT == 3 && PT2_KIND_BOOL == 4);
FROZEN(PT2_KIND_STRING == 5 && PT2_KIND_NONE == 6 && PT2_KIND_OBJECT == 7);
FROZEN(PT2_PARAMETER == 1 && PT2_BUFFER == 2 && PT2_TEMPORARY_BUFFER == 3 && PT2_CONSTANT == 4);

int main(void) {
  CHECK(strlen(pt2_version()) >= 5);
  CHECK(strncmp(pt2_libtorch_version(), "2.", 2) == 0);
  return 0;
}
