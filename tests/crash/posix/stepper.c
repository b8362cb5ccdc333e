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

/* From {address, number of the step} to {address, hit}. Of one that repeats itself at once three remain. */
static size_t count_hits(mp_test_point_t *points, size_t n)
{
    size_t kept = 0;
    uint64_t hit = 0;
    qsort(points, n, sizeof *points, compare_points);
    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1;
             i + run < n && points[i + run].address == points[i].address && points[i + run].hit == points[i].hit + run;
             run++)
            ;
        uint64_t where = points[i].address;
        hit = kept > 0 && points[kept - 1].address == where ? hit : 0;
        for (size_t k = 0; k < run; k++)
            if (k == 0 || k == run / 2 || k == run - 1)
                points[kept++] = (mp_test_point_t){where, hit + k + 1};
        hit += run;
    }
    return kept;
}

static uint64_t address(void)
{
    struct user_regs_struct registers = {0};
    ptrace(PTRACE_GETREGS, victim, NULL, &registers);
    return registers.rip;
}

size_t mp_test_victim_record(mp_test_point_t **points)
{
    size_t n = 0, room = 0;
    *points = NULL;
    while (victim && *phase == ACTING) {
        if (n == room) {
            room = room * 2 + 1000;
            *points = realloc(*points, room * sizeof **points);
            MP_CHECK(*points);
        }
        (*points)[n] = (mp_test_point_t){address(), n};
        n++;
        if (!step())
            break;
    }
    return count_hits(*points, n);
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

size_t mp_test_victim_record(mp_test_point_t **points)
{
    *points = NULL;
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
