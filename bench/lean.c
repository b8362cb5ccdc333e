/* A program that links APR statically, as one should whose starts matter: microseconds of a start and its join, the
 * median. */
#include <multiproc.h>

#include <stdio.h>
#include <stdlib.h>

#define STARTS 100

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static mp_status_t run(double *time)
{
    mp_process_t *process;
    double began = mp_now();
    mp_status_t status = mp_process_start(&process, nothing, mp_args());
    if (status == MP_OK)
        status = mp_process_join(process, MP_FOREVER);
    if (status == MP_OK)
        status = mp_process_close(process);
    *time = (mp_now() - began) * 1e6;
    return status;
}

int main(int argc, char **argv)
{
    double times[STARTS];
    mp_freeze_support(argc, argv);
    mp_status_t status = run(&times[0]);
    for (int i = 0; i < STARTS && status == MP_OK; i++)
        status = run(&times[i]);
    if (status != MP_OK)
        return mp_perror("start a process");
    qsort(times, STARTS, sizeof times[0], compare);
    printf("%.1f\n", times[STARTS / 2]);
    return 0;
}
