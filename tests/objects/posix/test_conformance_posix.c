/* The lines of the list of behaviours that need signals: A7, A16. */
#include "../scene.h"
#include "system.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- A7: one that kills itself by signal N: -N with its name */

static mp_status_t raise_it(mp_call_t *call)
{
    signal((int)mp_arg_int(call, 0), SIG_DFL);
    raise((int)mp_arg_int(call, 0));
    return MP_OK;
}

static void expect_a7(void)
{
    static const struct {
        int number;
        const char *name;
    } signals[] = {{SIGUSR1, "SIGUSR1"}, {SIGTERM, "SIGTERM"}, {SIGKILL, "SIGKILL"}, {SIGHUP, "SIGHUP"},
                   {SIGPIPE, "SIGPIPE"}, {SIGINT, "SIGINT"},   {SIGALRM, "SIGALRM"}};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        mp_process_t *process;
        int code = 0;
        REQUIRE_OK(mp_process_start(&process, raise_it, mp_args(signals[i].number)));
        EXPECT_OK(mp_process_join(process, mp_test_patience()));
        EXPECT_OK(mp_process_exitcode(process, &code));
        CU_ASSERT_EQUAL(code, -signals[i].number);
        CU_ASSERT_STRING_EQUAL(mp_exitcode_name(code), signals[i].name);
        EXPECT_OK(mp_process_close(process));
    }
}

MP_CASE(A7)
{
    mp_test_objects();
    mp_test_each_method(expect_a7);
}

static mp_status_t wait_here(mp_call_t *call)
{
    (void)call;
    mp_sleep(MP_FOREVER);
    return MP_OK;
}

static void expect_interrupt(void)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, wait_here, mp_args()));
    EXPECT_OK(mp_process_interrupt(process));
    mp_test_expect_end(process, -SIGINT);
}

MP_CASE(an_interrupted_process_ends_by_sigint)
{
    mp_test_objects();
    mp_test_each_method(expect_interrupt);
}

/* ---- A16: SIGUSR1 during join, recv and accept: the call completes normally */

static volatile sig_atomic_t handled;
static uint32_t stop;

static void count_signal(int signal)
{
    (void)signal;
    handled++;
}

typedef struct pest {
    pthread_t whom;
    mp_conn_t *visitor; /* NULL: it is not yet time for it to be told to come, after some signals */
} pest_t;

static void *pester(void *context)
{
    pest_t *pest = context;
    int before = -1; /* told already: INT_MAX */
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        pthread_kill(pest->whom, SIGUSR1);
        usleep(200);
        mp_conn_t *visitor = __atomic_load_n(&pest->visitor, __ATOMIC_SEQ_CST);
        if (visitor && before < 0)
            before = handled;
        if (visitor && before != INT_MAX && handled > before + 20) {
            before = INT_MAX;
            MP_CHECK(mp_conn_send(visitor, 3) == MP_OK);
        }
    }
    return NULL;
}

static mp_status_t answer_late(mp_call_t *call)
{
    mp_conn_t *conn;
    mp_value_t value;
    mp_sleep(0.05);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), 1) == MP_OK);
    MP_CHECK(mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_OK && mp_value_int(value) == 3);
    MP_CHECK(mp_connect(&conn, mp_arg_str(call, 1), mp_test_patience()) == MP_OK);
    MP_CHECK(mp_conn_send(conn, 2) == MP_OK && mp_conn_close(conn) == MP_OK);
    mp_sleep(0.05);
    return mp_exit(call, 9);
}

static void expect_a16(void)
{
    mp_conn_t *conn, *theirs, *came;
    mp_listener_t *listener;
    mp_process_t *process;
    mp_value_t value;
    mp_process_options_t options = {.fork_with_threads = true};
    pest_t pest = {.whom = pthread_self()};
    pthread_t other;
    stop = 0;
    handled = 0;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_listener_create(&listener, NULL));
    CU_ASSERT_EQUAL(pthread_create(&other, NULL, pester, &pest), 0);
    REQUIRE_OK(mp_process_start_with(&process, answer_late, mp_args(theirs, mp_listener_address(listener)), &options));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 1);
    __atomic_store_n(&pest.visitor, conn, __ATOMIC_SEQ_CST);
    REQUIRE_OK(mp_listener_accept(listener, &came, MP_FOREVER));
    EXPECT_OK(mp_conn_recv(came, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 2);
    EXPECT_OK(mp_conn_close(came));
    EXPECT_OK(mp_listener_close(listener));
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    CU_ASSERT(handled > 10);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(other, NULL);
    mp_test_expect_end(process, 9);
    EXPECT_OK(mp_conn_close(conn));
}

MP_CASE(A16)
{
    struct sigaction action = {.sa_handler = count_signal};
    mp_test_objects();
    sigaction(SIGUSR1, &action, NULL);
    mp_test_each_method(expect_a16);
}

MP_GUARDED_CASES(MP_ROW(A7), MP_ROW(an_interrupted_process_ends_by_sigint), MP_ROW(A16));
