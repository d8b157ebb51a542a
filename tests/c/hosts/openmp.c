/* Host with one function of OpenMP that no runtime matches: the first call reports it, and so do
 * all later calls. */
#include "host.h"

int omp_get_max_threads(void);
int omp_get_max_threads(void) { return 3; }

int main(void) {
  pt2_model *model = NULL;
  pt2_tensor *tensor = NULL;
  FAILS(PT2_ERROR_LIBTORCH, "functions of OpenMP come from", pt2_load(archive("product.pt2"), NULL, &model));
  FAILS(PT2_ERROR_LIBTORCH, "libgomp", pt2_load(archive("product.pt2"), NULL, &model));
  FAILS(PT2_ERROR_LIBTORCH, "the program", pt2_tensor_from_int(1, &tensor));
  return 0;
}
