/* Events set by signal handlers, whatever they interrupt (D5 is in ../test_event.c). */
#include "../scene.h"

#include "core/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

static mp_event_t *volatile event;
static uint64_t handled;
static uint64_t wrong;

static void set_it(int signal)
{
    (void)signal;
    errno = 4711;
    if (mp_event_set(event) != MP_OK || errno != 4711)
        wrong++;
    mp__add64(&handled, 1);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigaction(number, &action, NULL);
}

static void pester(long microseconds)
{
    const struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Counts how often it was set. */
static mp_status_t watch(mp_call_t *call)
{
    mp_event_t *watched = mp_arg_event(call, 0);
    for (int i = 0; i < 50; i++) {
        MP_CHECK(mp_event_wait(watched, mp_test_patience()) == MP_OK);
        MP_CHECK(mp_event_clear(watched) == MP_OK);
    }
    return MP_OK;
}

/* In the middle of the allocator, of locks, of waits at the same event. */
static void interrupt_everything(void)
{
    mp_process_t *process;
    mp_semaphore_t *semaphore;
    mp_event_t *made;
    const mp_semaphore_options_t owned = {.flags = MP_OWNED};
    REQUIRE_OK(mp_event_create(&made));
    event = made;
    handled = wrong = 0;
    handle(SIGALRM, set_it);
    REQUIRE_OK(mp_process_start(&process, watch, mp_args(made)));
    pester(500);
    while (mp_process_is_alive(process)) {
        mp_status_t status = mp_semaphore_create_with(&semaphore, 1, &owned);
        CU_ASSERT(status == MP_OK && mp_semaphore_acquire(semaphore, 0) == MP_OK);
        CU_ASSERT(mp_semaphore_release(semaphore) == MP_OK && mp_semaphore_close(semaphore) == MP_OK);
        status = mp_event_wait(made, 0.0005);
        CU_ASSERT(status == MP_OK || status == MP_TIMEOUT);
        CU_ASSERT(mp_event_clear(made) == MP_OK);
    }
    pester(0);
    mp_test_expect_end(process, 0);
    CU_ASSERT(handled > 0);
    CU_ASSERT_EQUAL(wrong, 0);
    EXPECT_OK(mp_event_close(made));
}

MP_CASE(a_handler_sets_it)
{
    mp_test_objects();
    mp_test_each_method(interrupt_everything);
    handle(SIGALRM, SIG_DFL);
}

/* The waiting thread's own handler. */
MP_CASE(a_handler_sets_what_its_thread_waits_for)
{
    mp_event_t *made;
    mp_test_objects();
    REQUIRE_OK(mp_event_create(&made));
    event = made;
    handle(SIGALRM, set_it);
    for (int i = 0; i < 20; i++) {
        const struct itimerval once = {{0, 0}, {0, 2000}};
        setitimer(ITIMER_REAL, &once, NULL);
        double began = mp_now();
        EXPECT_OK(mp_event_wait(made, mp_test_patience()));
        CU_ASSERT(mp_now() - began < mp_test_seconds(0.4)); /* woken, not found at a second look */
        EXPECT_OK(mp_event_clear(made));
    }
    handle(SIGALRM, SIG_DFL);
    CU_ASSERT_EQUAL(wrong, 0);
    EXPECT_OK(mp_event_close(made));
}

/* A thread that the library has never seen; mp_error() of who is interrupted stays. */
static void *be_signalled(void *unused)
{
    (void)unused;
    raise(SIGUSR2);
    return NULL;
}

MP_CASE(a_strange_threads_handler_sets_it)
{
    pthread_t thread;
    mp_event_t *made;
    mp_test_objects();
    REQUIRE_OK(mp_event_create(&made));
    event = made;
    handle(SIGUSR2, set_it);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, be_signalled, NULL), 0);
    pthread_join(thread, NULL);
    EXPECT_OK(mp_event_wait(made, 0));
    EXPECT_STATUS(mp_lock_acquire(NULL, 0), MP_INVALID);
    raise(SIGUSR2);
    CU_ASSERT_EQUAL(mp_event_set(NULL), MP_INVALID);
    CU_ASSERT_EQUAL(mp_error()->status, MP_INVALID);
    CU_ASSERT_STRING_EQUAL(mp_error()->step, "use an object");
    CU_ASSERT_EQUAL(wrong, 0);
    handle(SIGUSR2, SIG_DFL);
    EXPECT_OK(mp_event_close(made));
}

MP_GUARDED_CASES(MP_ROW(a_handler_sets_it), MP_ROW(a_handler_sets_what_its_thread_waits_for),
                 MP_ROW(a_strange_threads_handler_sets_it));
