/* Named locks: who holds it, deaths of holders and owners. */
#include "scene.h"
#include "system.h"

#include <multiproc/named.h>

#include "core/atomic.h"
#include "platform.h"

#include <stdio.h>
#include <string.h>

static const char *name_of(const char *base)
{
    static char text[40];
    snprintf(text, sizeof text, "t%d_%s", mp_getpid(), base);
    return text;
}

static mp_named_lock_t *make(const char *name)
{
    mp_named_lock_t *lock;
    REQUIRE_OK(mp_named_lock_create(&lock, name));
    return lock;
}

/* Uses a name once: some systems keep something for those who do. */
static void begin(void)
{
    mp_test_objects();
    EXPECT_OK(mp_named_lock_close(make(name_of("first"))));
    mp_test_baseline();
}

MP_CASE(one_takes_it_and_lets_it_go)
{
    mp_named_lock_t *lock, *none = NULL;
    const char *name = name_of("a");
    begin();
    EXPECT_STATUS(mp_named_lock_open(&none, name), MP_NOT_FOUND);
    lock = make(name);
    EXPECT_STATUS(mp_named_lock_create(&none, name), MP_EXISTS);
    EXPECT_STATUS(mp_named_lock_release(lock), MP_NOT_OWNER);
    EXPECT_OK(mp_named_lock_acquire(lock, MP_FOREVER));
    EXPECT_STATUS(mp_named_lock_acquire(lock, 0), MP_BUSY);
    EXPECT_STATUS(mp_named_lock_acquire(lock, 1), MP_DEADLOCK);
    EXPECT_STATUS(mp_named_lock_acquire(lock, MP_FOREVER), MP_DEADLOCK);
    EXPECT_STATUS(mp_named_lock_acquire(lock, (double)NAN), MP_INVALID);
    EXPECT_STATUS(mp_named_lock_close(lock), MP_BUSY);
    EXPECT_OK(mp_named_lock_release(lock));
    EXPECT_OK(mp_named_lock_acquire(lock, 0));
    EXPECT_OK(mp_named_lock_release(lock));
    EXPECT_OK(mp_named_lock_unlink(lock));
    EXPECT_STATUS(mp_named_lock_unlink(lock), MP_NOT_FOUND);
    EXPECT_STATUS(mp_named_lock_open(&none, name), MP_NOT_FOUND);
    EXPECT_OK(mp_named_lock_close(lock));
    EXPECT_STATUS(mp_named_lock_create(NULL, name), MP_INVALID);
    EXPECT_STATUS(mp_named_lock_create(&none, "a/b"), MP_INVALID);
    EXPECT_STATUS(mp_named_lock_acquire(NULL, 0), MP_INVALID);
    EXPECT_STATUS(mp_named_lock_release(NULL), MP_INVALID);
    EXPECT_OK(mp_named_lock_close(NULL));
}

/* ---- other processes */

static mp_status_t hold(mp_call_t *call)
{
    mp_named_lock_t *lock;
    mp_value_t word;
    MP_CHECK(mp_named_lock_open(&lock, mp_arg_str(call, 0)) == MP_OK);
    MP_CHECK(mp_named_lock_acquire(lock, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    if (mp_conn_recv(mp_arg_conn(call, 1), &word) == MP_OK)
        MP_CHECK(mp_named_lock_release(lock) == MP_OK);
    MP_CHECK(mp_named_lock_close(lock) == MP_OK);
    return MP_OK;
}

static mp_process_t *start(mp_function_t target, const char *name, mp_conn_t **conn)
{
    mp_process_t *process;
    mp_conn_t *theirs;
    mp_value_t one;
    REQUIRE_OK(mp_pipe(conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, target, mp_args(name, theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(*conn, &one));
    return process;
}

static void hold_elsewhere(void)
{
    mp_conn_t *conn;
    const char *name = name_of("b");
    mp_named_lock_t *lock = make(name);
    for (int killed = 0; killed < 2; killed++) {
        mp_process_t *process = start(hold, name, &conn);
        double began = mp_now();
        EXPECT_STATUS(mp_named_lock_acquire(lock, 0), MP_TIMEOUT);
        EXPECT_STATUS(mp_named_lock_acquire(lock, 0.1), MP_TIMEOUT);
        CU_ASSERT(mp_now() - began >= 0.1);
        EXPECT_STATUS(mp_named_lock_release(lock), MP_NOT_OWNER);
        EXPECT_STATUS(mp_named_lock_close(lock), MP_BUSY);
        if (killed)
            mp_test_expect_killed(process);
        else
            EXPECT_OK(mp_conn_send(conn, 1));
        EXPECT_STATUS(mp_named_lock_acquire(lock, killed ? mp_test_patience() : MP_FOREVER),
                      killed ? MP_OWNER_DIED : MP_OK);
        EXPECT_OK(mp_named_lock_release(lock));
        EXPECT_OK(mp_named_lock_acquire(lock, 0)); /* told once */
        EXPECT_OK(mp_named_lock_release(lock));
        if (!killed)
            mp_test_expect_end(process, 0);
        EXPECT_OK(mp_conn_close(conn));
    }
    EXPECT_OK(mp_named_lock_close(lock));
}

MP_CASE(a_holders_death_is_told_once)
{
    begin();
    mp_test_each_method(hold_elsewhere);
}

#define ROUNDS 300

static mp_status_t count(mp_call_t *call)
{
    mp_named_lock_t *lock;
    uint64_t *board = mp_test_board(call, 1);
    MP_CHECK(mp_named_lock_open(&lock, mp_arg_str(call, 0)) == MP_OK);
    for (int i = 0; i < ROUNDS; i++) {
        MP_CHECK(mp_named_lock_acquire(lock, i % 2 ? MP_FOREVER : mp_test_patience()) == MP_OK);
        uint64_t n = mp__load64(board);
        mp__os_yield();
        mp__store64(board, n + 1);
        MP_CHECK(mp_named_lock_release(lock) == MP_OK);
    }
    MP_CHECK(mp_named_lock_close(lock) == MP_OK);
    return MP_OK;
}

static void count_together(void)
{
    mp_process_t *processes[3];
    uint64_t name, *board = mp_test_board_create(sizeof *board, &name);
    mp_named_lock_t *lock = make(name_of("c"));
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(mp_process_start(&processes[i], count, mp_args(name_of("c"), name)));
    for (int i = 0; i < 3; i++)
        mp_test_expect_end(processes[i], 0);
    CU_ASSERT_EQUAL(*board, 3 * ROUNDS);
    EXPECT_OK(mp_named_lock_close(lock));
    mp_test_board_free(name);
}

MP_CASE(one_process_at_a_time)
{
    begin();
    mp_test_each_method(count_together);
}

typedef struct thread_case {
    mp_named_lock_t *lock;
    mp_status_t acquired, released;
} thread_case_t;

static void try_it(void *context)
{
    thread_case_t *c = context;
    c->acquired = mp_named_lock_acquire(c->lock, 0);
    c->released = mp_named_lock_release(c->lock);
}

MP_CASE(a_thread_holds_it_not_the_process)
{
    mp_test_thread_t thread;
    mp_named_lock_t *second;
    begin();
    mp_named_lock_t *lock = make(name_of("d"));
    REQUIRE_OK(mp_named_lock_open(&second, name_of("d")));
    EXPECT_OK(mp_named_lock_acquire(lock, 0));
    thread_case_t same = {lock, MP_OK, MP_OK}, other = {second, MP_OK, MP_OK};
    mp_test_thread_start(&thread, try_it, &same);
    mp_test_thread_join(&thread);
    CU_ASSERT(same.acquired == MP_TIMEOUT && same.released == MP_NOT_OWNER);
    mp_test_thread_start(&thread, try_it, &other);
    mp_test_thread_join(&thread);
    CU_ASSERT(other.acquired == MP_TIMEOUT && other.released == MP_NOT_OWNER);
    EXPECT_OK(mp_named_lock_release(lock));
    EXPECT_OK(mp_named_lock_close(second));
    EXPECT_OK(mp_named_lock_close(lock));
}

/* ---- the owner's end */

static mp_status_t own(mp_call_t *call)
{
    mp_named_lock_t *lock;
    mp_value_t word;
    MP_CHECK(mp_named_lock_create(&lock, mp_arg_str(call, 0)) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
    if (mp_conn_recv(mp_arg_conn(call, 1), &word) == MP_OK) {
        MP_CHECK(mp_named_lock_close(lock) == MP_OK);
        MP_CHECK(mp_conn_send(mp_arg_conn(call, 1), 1) == MP_OK);
        mp_conn_recv(mp_arg_conn(call, 1), &word);
    }
    return MP_OK;
}

static void lose_owner(void)
{
    const char *name = name_of("e");
    for (int killed = 0; killed < 2; killed++) {
        mp_conn_t *conn;
        mp_named_lock_t *lock, *none;
        mp_value_t one;
        mp_process_t *process = start(own, name, &conn);
        REQUIRE_OK(mp_named_lock_open(&lock, name));
        EXPECT_OK(mp_named_lock_acquire(lock, 0));
        EXPECT_OK(mp_named_lock_release(lock));
        if (killed) {
            mp_test_expect_killed(process);
        } else {
            EXPECT_OK(mp_conn_send(conn, 1));
            REQUIRE_OK(mp_conn_recv(conn, &one));
        }
        EXPECT_STATUS(mp_named_lock_acquire(lock, MP_FOREVER), MP_GONE);
        EXPECT_STATUS(mp_named_lock_acquire(lock, 0), MP_GONE);
        EXPECT_STATUS(mp_named_lock_open(&none, name), MP_NOT_FOUND);
        EXPECT_OK(mp_named_lock_close(lock));
        EXPECT_OK(mp_named_lock_close(make(name)));
        EXPECT_OK(mp_conn_close(conn));
        if (!killed)
            mp_test_expect_end(process, 0);
    }
}

MP_CASE(it_goes_with_its_owner)
{
    begin();
    mp_test_each_method(lose_owner);
}

MP_GUARDED_CASES(MP_ROW(one_takes_it_and_lets_it_go), MP_ROW(a_holders_death_is_told_once),
                 MP_ROW(one_process_at_a_time), MP_ROW(a_thread_holds_it_not_the_process),
                 MP_ROW(it_goes_with_its_owner));
