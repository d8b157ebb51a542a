/* Module whose thread-local storage must be static, like libgomp's. */
extern __thread char bytes[SIZE];
__thread char bytes[SIZE] __attribute__((tls_model("initial-exec"))) = {1};

char first(void);
char first(void) { return bytes[0]; }
