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

/* One instruction; false: the victim is no more. */
static bool step(void)
{
    int signal;
    if (ptrace(PTRACE_SINGLESTEP, victim, NULL, NULL) != 0 || !stopped(&signal))
        return false;
    if (signal != SIGTRAP && signal != SIGSTOP) {
        printf("the victim got signal %d\n", signal);
        mp_test_victim_kill();
        return false;
    }
    return true;
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

bool mp_test_victim_step(uint64_t instructions)
{
    while (victim && *phase == ACTING && instructions-- > 0)
        if (!step())
            break;
    return victim && *phase == ACTING;
}

bool mp_test_victim_finish(void)
{
    int signal;
    return victim && (*phase == AFTER || (ptrace(PTRACE_CONT, victim, NULL, NULL) == 0 && stopped(&signal))) &&
           *phase == AFTER;
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

bool mp_test_victim_step(uint64_t instructions)
{
    (void)instructions;
    return false;
}

bool mp_test_victim_finish(void)
{
    return false;
}

void mp_test_victim_kill(void) {}

#endif
