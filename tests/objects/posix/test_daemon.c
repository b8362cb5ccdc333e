/* daemon() after the first object: the process that goes on makes objects and starts processes. */
#include "../scene.h"
#include "child.h"

#include "family/family.h"

#include <unistd.h>

static mp_status_t add_one(mp_call_t *call)
{
    mp_value_t n;
    mp_lock_t *lock = mp_arg_lock(call, 1);
    MP_CHECK(mp_queue_get(mp_arg_queue(call, 0), &n, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_lock_acquire(lock, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_lock_release(lock) == MP_OK);
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 2), mp_value_int(n) + 1) == MP_OK);
    return MP_OK;
}

/* Everything once. */
static void work(void)
{
    mp_queue_t *queue;
    mp_lock_t *lock;
    mp_conn_t *conn, *theirs;
    mp_process_t *process;
    mp_value_t n;
    int code;
    MP_CHECK(mp_queue_create(&queue, 0) == MP_OK);
    MP_CHECK(mp_lock_create(&lock) == MP_OK);
    MP_CHECK(mp_pipe(&conn, &theirs, MP_ONE_WAY) == MP_OK);
    MP_CHECK(mp_process_start(&process, add_one, mp_args(queue, lock, theirs)) == MP_OK);
    MP_CHECK(mp_queue_put(queue, 41, 0) == MP_OK);
    MP_CHECK(mp_conn_recv(conn, &n) == MP_OK && mp_value_int(n) == 42);
    MP_CHECK(mp_process_join(process, mp_test_patience()) == MP_OK);
    MP_CHECK(mp_process_exitcode(process, &code) == MP_OK && code == 0);
    MP_CHECK(mp_process_close(process) == MP_OK);
    MP_CHECK(mp_conn_close(conn) == MP_OK && mp_conn_close(theirs) == MP_OK);
    MP_CHECK(mp_queue_close(queue) == MP_OK && mp_lock_close(lock) == MP_OK);
}

static void work_by_each_method(void)
{
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        MP_CHECK(mp_set_start_method(*method, true) == MP_OK);
        work();
    }
}

MP_PROGRAM(becomes_a_daemon)
{
    mp_lock_t *before;
    mp__os_handle_t talk = mp_test_talk();
    MP_CHECK(mp_lock_create(&before) == MP_OK);
    MP_CHECK(mp_lock_acquire(before, 0) == MP_OK);
    if (mp_test_word(0)[0] == 'p')
        work_by_each_method();
    MP_CHECK(daemon(1, 1) == 0);
    /* It was the one's that ended. At first only its holder may be seen to be dead, that thread of it. */
    mp_status_t status = mp_lock_acquire(before, mp_test_patience());
    MP_CHECK(status == MP_GONE || status == MP_OWNER_DIED);
    while (status != MP_GONE) {
        mp__sweep_the_dead();
        status = mp_lock_acquire(before, 0);
        MP_CHECK(status == MP_GONE || status == MP_BUSY);
    }
    work_by_each_method();
    status = mp_lock_close(before);
    MP_CHECK(status == MP_OK || status == MP_GONE);
    MP_CHECK(mp_test_tell(talk, 'd'));
    return 0;
}

static void expect_daemon(const char *word)
{
    mp_test_child_t child;
    mp_test_start(&child, "becomes_a_daemon", NULL, 0, (const char *const[]){word, NULL});
    CU_ASSERT(mp_test_hear(child.talk, 'd'));
    CU_ASSERT_EQUAL(mp_test_join(&child).code, 0);
}

MP_CASE(after_the_first_object)
{
    mp_test_warm_up();
    expect_daemon("object");
}

MP_CASE(after_the_first_process)
{
    mp_test_warm_up();
    expect_daemon("process");
}

MP_GUARDED_CASES(MP_ROW(after_the_first_object), MP_ROW(after_the_first_process), MP_SUB(becomes_a_daemon));
