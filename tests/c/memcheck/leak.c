/* Does not free an error: valgrind must report it. */
#include "../check.h"

int main(void) {
  pt2_model *model = NULL;
  return pt2_error_code(pt2_load("/missing.pt2", NULL, &model)) == PT2_ERROR_IO ? 0 : 1;
}
