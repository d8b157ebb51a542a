/* A module whose thread-local storage has to be static, as that of libgomp. */
extern __thread char bytes[SIZE];
__thread char bytes[SIZE] __attribute__((tls_model("initial-exec"))) = {1};

char first(void);
char first(void) { return bytes[0]; }
