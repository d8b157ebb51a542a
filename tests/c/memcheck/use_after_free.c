/* Reads an error's message after freeing the error: valgrind must report it. */
#include "../check.h"

int main(void) {
  pt2_model *model = NULL;
  pt2_error *error = pt2_load("/missing.pt2", NULL, &model);
  const char *message = pt2_error_message(error);
  pt2_error_free(error);
  return message[0] == '\n';
}
