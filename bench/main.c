/* mp_bench: the rounds, the medians, and how they are printed. */
#include "bench.h"
#include "system.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ROUNDS 101
#define MOST_ROWS   100
#define RUNS        5

static const bench_subject_t *const subjects[] = {&bench_lock,   &bench_queue, &bench_trip, &bench_bytes,
                                                  &bench_create, &bench_idle,  &bench_wait, &bench_process};

#define SUBJECTS (sizeof subjects / sizeof subjects[0])

typedef struct figures {
    const bench_row_t *row;
    double values[MOST_ROUNDS]; /* one a round; NaN: none */
} figures_t;

static struct {
    const char *only;
    int runs;
    bool json;
    const char *separator; /* before the next line of JSON */
} options = {NULL, RUNS, false, "{\n"};

void bench_fail(const char *what)
{
    fprintf(stderr, "mp_bench: %s\n", what);
    exit(1);
}

void bench_check(mp_status_t status, const char *what)
{
    char text[512];
    if (status != MP_OK)
        bench_fail(mp_error_format(text, sizeof text, what));
}

mp_process_t *bench_start(mp_function_t function, mp_args_t args)
{
    mp_process_t *process;
    bench_check(mp_process_start(&process, function, args), "start a process");
    return process;
}

void bench_join(mp_process_t *process)
{
    int code = -1;
    bench_check(mp_process_join(process, BENCH_PATIENCE), "join a process");
    bench_check(mp_process_exitcode(process, &code), "ask for an exit code");
    if (code != 0)
        bench_fail("a process of the library failed");
    bench_check(mp_process_close(process), "close a process");
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_quantile(double *values, size_t n, size_t k)
{
    qsort(values, n, sizeof *values, compare);
    return values[k];
}

/* Not NaN; isnan() itself warns in some C libraries. */
static bool is_known(double value)
{
    return value == value;
}

/* Of those that there are. NaN: none. */
static double median(const double *values)
{
    double known[MOST_ROUNDS];
    size_t n = 0;
    for (int i = 0; i < options.runs; i++)
        if (is_known(values[i]))
            known[n++] = values[i];
    return n ? bench_quantile(known, n, n / 2) : NAN;
}

/* ---- printing */

static void print_figure(const bench_row_t *row, double value)
{
    if (options.json && !is_known(value))
        printf("%s  \"%s\": {\"value\": null, \"unit\": \"%s\"}", options.separator, row->name, row->unit);
    else if (options.json)
        printf("%s  \"%s\": {\"value\": %.4g, \"unit\": \"%s\"}", options.separator, row->name, value, row->unit);
    else if (!is_known(value))
        printf("%s - not here\n", row->name);
    else
        printf("%s %.4g %s\n", row->name, value, row->unit);
    options.separator = ",\n";
    fflush(stdout);
}

static void print_ratio(const bench_ratio_t *ratio, double value)
{
    const char *verdict =
        ratio->at_most ? (value <= ratio->floor ? "pass" : "short") : (value >= ratio->floor ? "pass" : "short");
    if (options.json)
        printf("%s  \"%s\": {\"value\": %.4g, \"floor\": %g, \"at\": \"%s\", \"verdict\": \"%s\"}", options.separator,
               ratio->name, value, ratio->floor, ratio->at_most ? "most" : "least", verdict);
    else
        printf("%s %.4g %s%g %s\n", ratio->name, value, ratio->at_most ? "<=" : ">=", ratio->floor, verdict);
    options.separator = ",\n";
}

/* ---- measuring */

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* Is the row asked for: by its name's beginning, with or without the words that say whose it is? */
static bool wanted(const bench_row_t *row)
{
    const char *subject = strchr(row->name, '.') + 1;
    if (begins(row->name, "peer."))
        subject = strchr(subject, '.') + 1;
    return !options.only || begins(row->name, options.only) || begins(subject, options.only);
}

static void measure(figures_t *figures, int round)
{
    const bench_row_t *row = figures->row;
    double *value = &figures->values[round];
    *value = NAN;
    if ((!row->once || round == 0) && !row->measure(row, value))
        *value = NAN;
}

static const figures_t *find(const figures_t *figures, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(figures[i].row->name, name) == 0)
            return &figures[i];
    return NULL;
}

/* The median of what each round says: what slows a whole round down is the same on both sides. NaN: not known. */
static double ratio_of(const bench_ratio_t *ratio, const figures_t *figures, size_t n)
{
    double values[MOST_ROUNDS];
    const figures_t *of = find(figures, n, ratio->of), *by = ratio->by ? find(figures, n, ratio->by) : NULL;
    if (!of || (ratio->by && !by))
        return NAN;
    for (int i = 0; i < options.runs; i++)
        values[i] = by ? of->values[i] / by->values[i] : of->values[i];
    return median(values);
}

static void run_subject(const bench_subject_t *subject)
{
    static figures_t figures[MOST_ROWS];
    size_t n = 0;
    for (const bench_row_t *row = subject->rows; row->name && n < MOST_ROWS; row++)
        if (wanted(row))
            figures[n++].row = row;
    for (int round = 0; round < options.runs; round++)
        for (size_t i = 0; i < n; i++)
            measure(&figures[i], round);
    for (size_t i = 0; i < n; i++)
        print_figure(figures[i].row, median(figures[i].values));
    for (const bench_ratio_t *ratio = subject->ratios; ratio->name; ratio++) {
        double value = ratio_of(ratio, figures, n);
        if (is_known(value))
            print_ratio(ratio, value);
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: mp_bench [--json] [--only PREFIX] [--runs N]\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], BENCH_BARE) == 0)
        return 0;
    while (argc == 2 && strcmp(argv[1], BENCH_STAY) == 0)
        bench_pause(BENCH_PATIENCE);
    mp_freeze_support(argc, argv);
    bench_partner_main(argc, argv);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options.json = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            options.only = argv[++i];
        else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            options.runs = atoi(argv[++i]);
        else
            return usage();
    }
    if (options.runs < 1 || options.runs > MOST_ROUNDS)
        return usage();
    for (size_t i = 0; i < SUBJECTS; i++)
        run_subject(subjects[i]);
    if (options.json)
        printf("%s}\n", strcmp(options.separator, "{\n") == 0 ? "{" : "\n");
    return 0;
}
