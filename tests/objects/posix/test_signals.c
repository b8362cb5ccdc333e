/* Signals: those that end a process show in its exit code, those that have a handler disturb nobody. */
#include "../scene.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static mp_status_t raise_it(mp_call_t *call)
{
    raise((int)mp_arg_int(call, 0));
    return MP_OK;
}

/* A7 */
static void expect_signals(void)
{
    static const int signals[] = {SIGUSR1, SIGTERM, SIGKILL, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        mp_process_t *process;
        REQUIRE_OK(mp_process_start(&process, raise_it, mp_args(signals[i])));
        mp_test_expect_end(process, -signals[i]);
    }
}

MP_CASE(a_signal_shows_in_the_exit_code)
{
    mp_test_objects();
    mp_test_each_method(expect_signals);
}

/* ---- handlers ---- */

static volatile sig_atomic_t handled;
static uint32_t stop;

static void count_signal(int signal)
{
    (void)signal;
    handled++;
}

static void *pester(void *thread)
{
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        pthread_kill(*(pthread_t *)thread, SIGUSR2);
        usleep(200);
    }
    return NULL;
}

static mp_status_t answer_late(mp_call_t *call)
{
    mp_conn_t *conn = mp_arg_conn(call, 0);
    mp_value_t big;
    mp_sleep(0.05);
    MP_CHECK(mp_conn_send(conn, 1) == MP_OK);
    mp_sleep(0.05); /* meanwhile the pipe is full */
    MP_CHECK(mp_conn_recv(conn, &big) == MP_OK);
    MP_CHECK(mp_value_len(big) == 3000000);
    mp_value_free(&big);
    MP_CHECK(mp_queue_put(mp_arg_queue(call, 1), 2, MP_FOREVER) == MP_OK);
    mp_sleep(0.05);
    return mp_exit(call, 9);
}

static void be_pestered(void)
{
    static char big[3000000];
    mp_conn_t *conn, *theirs;
    mp_queue_t *queue;
    mp_process_t *process;
    mp_value_t value;
    pthread_t self = pthread_self(), other;
    stop = 0;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_queue_create(&queue, 0));
    CU_ASSERT_EQUAL(pthread_create(&other, NULL, pester, &self), 0);
    mp_process_options_t options = {.fork_with_threads = true};
    REQUIRE_OK(mp_process_start_with(&process, answer_late, mp_args(theirs, queue), &options));
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_recv(conn, &value));
    CU_ASSERT_EQUAL(mp_value_int(value), 1);
    EXPECT_OK(mp_conn_send(conn, mp_bytes(big, sizeof big)));
    EXPECT_OK(mp_queue_get(queue, &value, mp_test_patience()));
    CU_ASSERT_EQUAL(mp_value_int(value), 2);
    mp_test_expect_end(process, 9);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    pthread_join(other, NULL);
    EXPECT_OK(mp_conn_close(conn));
    EXPECT_OK(mp_queue_close(queue));
}

/* A16 */
MP_CASE(signals_with_a_handler_disturb_no_wait)
{
    struct sigaction action = {.sa_handler = count_signal};
    mp_test_objects();
    sigaction(SIGUSR2, &action, NULL);
    mp_test_each_method(be_pestered);
    CU_ASSERT(handled > 10);
}

MP_GUARDED_CASES(MP_ROW(a_signal_shows_in_the_exit_code), MP_ROW(signals_with_a_handler_disturb_no_wait));
