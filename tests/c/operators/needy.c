/* Library that cannot be loaded: its dependency is missing. */
int pt2_absent(void);
int pt2_needy(void);
int pt2_needy(void) { return pt2_absent(); }
