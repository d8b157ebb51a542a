/* Does not free an error: what valgrind must not let pass. */
#include "../check.h"

int main(void) {
  pt2_model *model = NULL;
  return pt2_error_code(pt2_load("/missing.pt2", NULL, &model)) == PT2_ERROR_IO ? 0 : 1;
}
