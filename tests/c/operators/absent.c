/* Dependency of `needy`. */
int pt2_absent(void);
int pt2_absent(void) { return 1; }
