/* A fault point. */
#ifndef MP_TEST_POINT_H
#define MP_TEST_POINT_H

typedef enum mp_test_side { MP_TEST_BEFORE, MP_TEST_AFTER, MP_TEST_SIDES } mp_test_side_t;

/* Code that is expanded in several places has a point in each, all with one label. */
typedef struct mp_test_point {
    const char *file;
    const char *function;
    const char *operation;
    int line;
    unsigned label; /* its number, given when the program begins */
} mp_test_point_t;

void mp_test_at(const mp_test_point_t *here, const void *word, mp_test_side_t side);

#endif
