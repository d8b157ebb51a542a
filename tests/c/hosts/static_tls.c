/* Host that has exhausted static TLS: the first call reports it with a remedy. */
#include <dlfcn.h>

#include "host.h"

int main(void) {
  const char *modules[] = {MODULES};
  int refused = 0;
  for (size_t i = 0; i < sizeof modules / sizeof *modules; ++i)
    refused += dlopen(modules[i], RTLD_NOW) == NULL;
  CHECK(refused > 0);
  pt2_model *model = NULL;
  pt2_error *error = pt2_load(archive("product.pt2"), NULL, &model);
  if (error == NULL) return 77; /* This libtorch needs none. */
  CHECK(pt2_error_code(error) == PT2_ERROR_LIBTORCH);
  CHECK(strstr(pt2_error_message(error), "static TLS") != NULL);
  CHECK(strstr(pt2_error_message(error), "glibc.rtld.optional_static_tls") != NULL);
  pt2_error_free(error);
  FAILS(PT2_ERROR_LIBTORCH, "static TLS", pt2_load(archive("product.pt2"), NULL, &model));
  return 0;
}
