/* Host with preloaded or linked libraries: another BLAS, another allocator, another OpenMP. */
#include "outputs.h"

int main(void) {
  outputs_are_right();
  return 0;
}
