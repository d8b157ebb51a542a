/* Library with the name and the version function of libtorch 2.9, and nothing else. */
#include <stdint.h>

uint64_t aoti_torch_abi_version(void) { return (uint64_t)2 << 56 | (uint64_t)9 << 48; }
