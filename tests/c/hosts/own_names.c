/* Host that exports names of libtorch's components. libtorch calls its own: outputs are right, and
 * no routine here is called. */
#include "outputs.h"

static int called;
static const char *which = "none";

#define ROUTINE(name) \
  void name(void);    \
  void name(void) {   \
    ++called;         \
    which = #name;    \
  }

ROUTINE(sgemm_)
ROUTINE(dgemm_)
ROUTINE(cgemm_)
ROUTINE(sgemv_)
ROUTINE(dgemv_)
ROUTINE(saxpy_)
ROUTINE(sdot_)
ROUTINE(ddot_)
ROUTINE(scopy_)
ROUTINE(sscal_)
ROUTINE(dscal_)
ROUTINE(strsm_)
ROUTINE(sgetrf_)
ROUTINE(sgetrs_)
ROUTINE(sgesdd_)
ROUTINE(sgeqrf_)
ROUTINE(spotrf_)
ROUTINE(ilaenv)
ROUTINE(xerbla_)
ROUTINE(cblas_sgemm)
ROUTINE(cblas_sgemm_batch)
ROUTINE(cblas_sgemm_pack)
ROUTINE(cblas_sgemm_compute)
ROUTINE(cblas_sgemm_pack_get_size)
ROUTINE(cblas_saxpy)
ROUTINE(cblas_xerbla)
ROUTINE(mkl_blas_sgemm)
ROUTINE(mkl_serv_get_max_threads)
ROUTINE(mkl_blas_avx2_xsgemm)
ROUTINE(mkl_blas_avx512_xsgemm)
ROUTINE(mkl_blas_def_xsgemm)
ROUTINE(MKL_Get_Max_Threads)
ROUTINE(MKL_Set_Num_Threads_Local)
ROUTINE(DftiCreateDescriptor_s_1d)
ROUTINE(DftiComputeForward)
ROUTINE(vmsExp)
ROUTINE(vsExp)
ROUTINE(Sleef_expf8_u10)
ROUTINE(Sleef_expf16_u10)
ROUTINE(Sleef_erff8_u10)
ROUTINE(Sleef_erff16_u10)
ROUTINE(Sleef_tanhf8_u10)
ROUTINE(Sleef_tanhf16_u10)
ROUTINE(Sleef_logf8_u10)
ROUTINE(Sleef_logf16_u10)
ROUTINE(pthreadpool_create)
ROUTINE(pthreadpool_destroy)
ROUTINE(pthreadpool_get_threads_count)
ROUTINE(pthreadpool_parallelize_1d)
ROUTINE(cpuinfo_initialize)
ROUTINE(cpuinfo_get_processors_count)
ROUTINE(cpuinfo_get_l2_cache)
ROUTINE(nnp_initialize)
ROUTINE(xnn_initialize)
ROUTINE(uv_version)
ROUTINE(uv_library_shutdown)
ROUTINE(dnnl_engine_create)
ROUTINE(dnnl_primitive_execute)
/* Data symbols of a library that the host also has. */
int pytorch_qnnp_params = 1;
int xnn_params = 1;

int main(void) {
  outputs_are_right();
  static float image[2 * 3 * 32 * 32];
  const int64_t sizes[4] = {2, 3, 32, 32};
  fill(image, sizeof image / sizeof *image, 5);
  pt2_model *model = load_at("conv.pt2", PT2_OPTIMIZATION_FAST);
  pt2_tensor *input = floats(image, 4, sizes), *output = run_once(model, input);
  CHECK(element_count(output) == 2 * 16 * 30 * 30);
  pt2_tensor_free(output);
  pt2_tensor_free(input);
  pt2_free(model);
  if (called != 0) fprintf(stderr, "%d calls of the host's routines, the last of %s\n", called, which);
  CHECK(called == 0);
  return 0;
}
