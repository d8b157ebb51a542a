/* A library that cannot be opened, for what it needs is not found. */
int pt2_absent(void);
int pt2_needy(void);
int pt2_needy(void) { return pt2_absent(); }
