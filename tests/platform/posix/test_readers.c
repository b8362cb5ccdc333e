/* Several threads that read from one pipe: each comes back when its time is over, though another took what came. */
#include "child.h"
#include "harness.h"
#include "system.h"

#define READERS 6
#define ROUNDS  40

typedef struct reader {
    mp_test_thread_t thread;
    mp__os_handle_t pipe;
    uint32_t *got;
} reader_t;

static void read_once(void *context)
{
    reader_t *reader = context;
    char byte;
    size_t got;
    mp_status_t status = mp__os_pipe_read(reader->pipe, &byte, 1, mp__os_now() + MP__SECOND / 50, &got);
    MP_CHECK(status == MP_OK || status == MP_TIMEOUT);
    if (status == MP_OK)
        __atomic_add_fetch(reader->got, 1, __ATOMIC_SEQ_CST);
}

/* One byte for all of them. */
static void read_side_by_side(mp__os_handle_t mine, mp__os_handle_t childs)
{
    reader_t readers[READERS];
    uint32_t got = 0;
    char byte;
    size_t left;
    for (int i = 0; i < READERS; i++) {
        readers[i] = (reader_t){.pipe = mine, .got = &got};
        mp_test_thread_start(&readers[i].thread, read_once, &readers[i]);
    }
    mp_test_moment(); /* so that they are likely to wait all, and to be woken at once */
    EXPECT_OK(mp__os_pipe_write(childs, "x", 1, MP__NEVER, &left));
    for (int i = 0; i < READERS; i++)
        mp_test_thread_join(&readers[i].thread);
    CU_ASSERT(got == 1 || (got == 0 && mp__os_pipe_read(mine, &byte, 1, 0, &left) == MP_OK));
}

MP_CASE(readers_come_back_when_their_time_is_over)
{
    mp__os_handle_t mine, childs;
    mp_test_warm_up();
    REQUIRE_OK(mp__os_pipe_create(false, &mine, &childs));
    for (int i = 0; i < ROUNDS; i++)
        read_side_by_side(mine, childs);
    mp__os_handle_close(mine);
    mp__os_handle_close(childs);
}

MP_CASES(MP_ROW(readers_come_back_when_their_time_is_over));
