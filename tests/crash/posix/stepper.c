/* The stepper, by ptrace. */
#include "stepper.h"

#include "harness.h"

#if defined(__linux__) && defined(__x86_64__)

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEFORE, ACTING, AFTER };

static volatile int *phase; /* shared with the victim */
static pid_t victim;

static void nothing(void) {}

void mp_test_stepper_open(void)
{
    phase = mmap(NULL, sizeof *phase, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (phase == MAP_FAILED)
        mp_skip("no shared memory for the stepper");
    mp_test_victim_start(NULL, nothing);
    if (*phase != ACTING)
        mp_skip("ptrace is not allowed here");
    mp_test_victim_kill();
}

void mp_test_stepper_close(void)
{
    munmap((void *)(uintptr_t)phase, sizeof *phase);
}

static void be_victim(void (*prepare)(void), void (*act)(void))
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(1);
    if (prepare)
        prepare();
    raise(SIGSTOP);
    *phase = ACTING;
    act();
    *phase = AFTER;
    raise(SIGSTOP);
    _exit(0);
}

/* Waits until it stops; false: it has ended. */
static bool stopped(int *signal)
{
    int status = 0;
    while (waitpid(victim, &status, __WALL) < 0 && errno == EINTR)
        ;
    *signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
    if (*signal == 0)
        victim = 0;
    return *signal != 0;
}

/* To its next stop, by itself or by the tracer; false: the victim is no more. */
static bool go_on(enum __ptrace_request how)
{
    int signal;
    if (ptrace(how, victim, NULL, NULL) != 0 || !stopped(&signal))
        return false;
    if (signal != SIGTRAP && signal != SIGSTOP) {
        printf("the victim got signal %d\n", signal);
        mp_test_victim_kill();
        return false;
    }
    return true;
}

static bool step(void)
{
    return go_on(PTRACE_SINGLESTEP);
}

void mp_test_victim_start(void (*prepare)(void), void (*act)(void))
{
    int signal;
    fflush(NULL);
    *phase = BEFORE;
    victim = fork();
    if (victim == 0)
        be_victim(prepare, act);
    if (victim < 0 || !stopped(&signal))
        return;
    while (*phase == BEFORE && step())
        ;
}

/* ---- the places */

static int compare_points(const void *a, const void *b)
{
    const mp_test_point_t *x = a, *y = b;
    return x->address != y->address ? (x->address > y->address) - (x->address < y->address)
                                    : (x->hit > y->hit) - (x->hit < y->hit);
}

/* What was stepped through: of each step {address, number of the step}, and a sum over the addresses before each step
 * that tells whether two stretches of it went the same way. */
typedef struct trace {
    mp_test_point_t *steps;
    uint64_t *sums;
    size_t n;
    size_t room;
} trace_t;

#define LONG   9 /* rounds */
#define FACTOR UINT64_C(0x9e3779b97f4a7c15)

static void add_step(trace_t *trace, uint64_t where)
{
    if (trace->n + 1 >= trace->room) {
        trace->room = trace->room * 2 + 1000;
        trace->steps = realloc(trace->steps, trace->room * sizeof *trace->steps);
        trace->sums = realloc(trace->sums, trace->room * sizeof *trace->sums);
        MP_CHECK(trace->steps && trace->sums);
        trace->sums[0] = 0;
    }
    trace->steps[trace->n] = (mp_test_point_t){where, trace->n};
    trace->sums[trace->n + 1] = (trace->sums[trace->n] + where) * FACTOR;
    trace->n++;
}

static uint64_t power(uint64_t n)
{
    uint64_t product = 1;
    for (uint64_t factor = FACTOR; n > 0; n /= 2, factor *= factor)
        product *= n % 2 ? factor : 1;
    return product;
}

/* Do the three steps, each at the same address, follow each other the same way? */
static bool alike(const trace_t *trace, const mp_test_point_t *three)
{
    uint64_t a = three[0].hit, b = three[1].hit, c = three[2].hit;
    if (three[0].address != three[2].address || c - b != b - a)
        return false;
    uint64_t shift = power(b - a);
    return trace->sums[b] - trace->sums[a] * shift == trace->sums[c] - trace->sums[b] * shift;
}

/* From {address, number of the step} to {address, hit}. Of a long row of rounds that went the same way three remain. */
static size_t count_hits(trace_t *trace)
{
    mp_test_point_t *points = trace->steps;
    size_t n = trace->n, kept = 0;
    uint64_t hit = 0;
    qsort(points, n, sizeof *points, compare_points);
    for (size_t i = 0, row; i < n; i += row) {
        uint64_t where = points[i].address;
        hit = kept > 0 && points[kept - 1].address == where ? hit : 0;
        row = i + 1 < n && points[i + 1].address == where ? 2 : 1;
        while (row > 1 && i + row < n && alike(trace, &points[i + row - 2]))
            row++;
        for (size_t k = 0; k < row; k++)
            if (row < LONG || k == 0 || k == row / 2 || k == row - 1)
                points[kept++] = (mp_test_point_t){where, hit + k + 1};
        hit += row;
    }
    return kept;
}

static uint64_t address(void)
{
    struct user_regs_struct registers = {0};
    ptrace(PTRACE_GETREGS, victim, NULL, &registers);
    return registers.rip;
}

size_t mp_test_victim_record(mp_test_point_t **points, size_t *left_out)
{
    trace_t trace = {NULL, NULL, 0, 0};
    while (victim && *phase == ACTING) {
        add_step(&trace, address());
        if (!step())
            break;
    }
    size_t kept = trace.n ? count_hits(&trace) : 0;
    free(trace.sums);
    *points = trace.steps;
    *left_out = trace.n - kept;
    return kept;
}

/* ---- a breakpoint */

#define BREAK UINT64_C(0xcc)

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr): the victim's
}

static void poke(uint64_t where, uint64_t text)
{
    ptrace(PTRACE_POKETEXT, victim, at(where), at(text));
}

/* Runs on to the next stop; was it at the breakpoint? It stands before the instruction again then. */
static bool run_to(uint64_t where)
{
    struct user_regs_struct registers;
    if (!go_on(PTRACE_CONT) || *phase != ACTING)
        return false;
    ptrace(PTRACE_GETREGS, victim, NULL, &registers);
    registers.rip--;
    ptrace(PTRACE_SETREGS, victim, NULL, &registers);
    return registers.rip == where;
}

bool mp_test_victim_reach(mp_test_point_t point)
{
    if (!victim || *phase != ACTING)
        return false;
    uint64_t hits = address() == point.address; /* it stands there already */
    uint64_t text = (uint64_t)ptrace(PTRACE_PEEKTEXT, victim, at(point.address), NULL);
    while (victim && hits < point.hit) {
        if (address() == point.address && !step())
            break;
        if (address() != point.address) {
            poke(point.address, (text & ~UINT64_C(0xff)) | BREAK);
            if (!run_to(point.address))
                break;
            poke(point.address, text);
        }
        hits++;
    }
    return victim && *phase == ACTING;
}

bool mp_test_asleep(int64_t pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (file)
        fclose(file);
    return state == 'S';
}

bool mp_test_victim_sleep(void)
{
    bool asleep = false;
    if (!victim || ptrace(PTRACE_CONT, victim, NULL, NULL) != 0)
        return false;
    while (!asleep && *phase == ACTING)
        asleep = mp_test_asleep(victim);
    return asleep;
}

bool mp_test_victim_finish(void)
{
    return victim && (*phase == AFTER || go_on(PTRACE_CONT)) && *phase == AFTER;
}

void mp_test_victim_kill(void)
{
    int signal;
    if (!victim)
        return;
    kill(victim, SIGKILL);
    while (stopped(&signal))
        ;
}

#else

void mp_test_stepper_open(void)
{
    mp_skip("single steps are made on Linux on x86-64 only");
}

void mp_test_stepper_close(void) {}

void mp_test_victim_start(void (*prepare)(void), void (*act)(void))
{
    (void)prepare;
    (void)act;
}

size_t mp_test_victim_record(mp_test_point_t **points, size_t *left_out)
{
    *points = NULL;
    *left_out = 0;
    return 0;
}

bool mp_test_victim_reach(mp_test_point_t point)
{
    (void)point;
    return false;
}

bool mp_test_asleep(int64_t pid)
{
    (void)pid;
    return false;
}

bool mp_test_victim_sleep(void)
{
    return false;
}

bool mp_test_victim_finish(void)
{
    return false;
}

void mp_test_victim_kill(void) {}

#endif
