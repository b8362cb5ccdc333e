/* The list of the partners' roles. */
#include "limits.h"

bench_role_t *const bench_roles[] = {bench_ring_produce, bench_spin_answer, bench_sleep_answer, bench_pipe_produce,
                                     NULL};
