/* Library with the name and the version function of libtorch 2.MINOR, and nothing else. */
#include <stdint.h>

#ifdef MINOR
uint64_t aoti_torch_abi_version(void) { return (uint64_t)2 << 56 | (uint64_t)MINOR << 48; }
#else
int at_least_one_symbol;
#endif
