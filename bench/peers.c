/* The peers' programs: "python lock" asks the program of peer python (its path is the build's) for its figure `lock`.
 */
#include "bench.h"
#include "system.h"

#include <stdio.h>
#include <string.h>

/* What the build found: name, command. */
static const char *const programs[][2] = {
#if defined(BENCH_LEAN)
    {"lean", BENCH_LEAN},
#endif
#if defined(BENCH_PYTHON)
    {"python", BENCH_PYTHON},
#endif
#if defined(BENCH_BOOST)
    {"boost", BENCH_BOOST},
#endif
#if defined(BENCH_ZEROMQ)
    {"zeromq", BENCH_ZEROMQ},
#endif
#if defined(BENCH_POSIX_MQ)
    {"posix_mq", BENCH_POSIX_MQ},
#endif
    {NULL, NULL},
};

bool bench_peer(const bench_row_t *row, double *value)
{
    char command[1024];
    size_t length = strcspn(row->peer, " ");
    for (size_t i = 0; programs[i][0]; i++)
        if (strlen(programs[i][0]) == length && strncmp(programs[i][0], row->peer, length) == 0) {
            snprintf(command, sizeof command, "%s%s", programs[i][1], row->peer + length);
            return bench_ask(command, value);
        }
    return false;
}
