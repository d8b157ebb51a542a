/* Library whose initialiser makes the loading thread flush denormals, like those that GCC 12 and
 * older link with -ffast-math. */
#include "fp_registers.h"

#ifdef PT2_HAS_FP_REGISTERS
__attribute__((constructor)) static void flush(void) { fp_write(FP_FLUSHES); }
#endif

int flushes(void);
int flushes(void) { return 1; }
