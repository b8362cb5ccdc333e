/*
 * Logging: lines travel through a queue of the process that set a sink (the outlet's), where a thread hands them over.
 *
 * Whoever logs holds the outlet's queue by its reference; children get that as a part of their argument block and hand
 * it on, so lines of all generations go straight to the sink's process. A board beside the queue counts lines that did
 * not get into it.
 */
#include "objects/log.h"

#include "core/local.h"
#include "core/once.h"
#include "objects/finalize.h"
#include "objects/process.h"
#include "objects/queue.h"

#include <apr_time.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP      "set the log"
#define LINES     4096                   /* that wait for the sink, at most */
#define PATIENCE  (20 * MP__MILLISECOND) /* of who logs */
#define GRACE     (2 * MP__SECOND)       /* for the sink, at the end */
#define TELL      MP__SECOND             /* of losses, while they go on, no more often */
#define PAUSE     MP__SECOND             /* of a start by fork, for a sink on a busy machine */
#define GLANCE    (4 * MP__SECOND)       /* how long the queue may seem empty before it is asked itself */
#define RETRY     (10 * MP__MILLISECOND) /* when there is no memory */
#define LEVEL_MAX 100

/* A line in the queue; its text follows. Level 0: the outlet's thread is to end. */
typedef struct record {
    uint32_t level;
    int32_t pid;
    int64_t time; /* microseconds since 1970 */
    char process[64];
} record_t;

/* In the arena, beside the queue. */
typedef struct board {
    uint64_t lost;
    uint32_t state; /* of the thread; who closes the outlet sleeps on it */
} board_t;

enum { RUNS, DONE, ABANDONED };

/* In the process of the sink. */
typedef struct outlet {
    mp_queue_t *queue;
    mp__block_t block;
    board_t *board;
    uint64_t sink;
    uint64_t told; /* lost lines */
    int64_t told_at;
    apr_pool_t *pool;
    apr_thread_t *thread;
    mp__finalizer_t *finalizer;
    struct outlet *next; /* of those that were left behind */
} outlet_t;

static mp__once_t mutex_made;
static apr_thread_mutex_t *mutex; /* guards what mp_log_set changes */
static outlet_t *outlet;          /* this process' own */
static outlet_t *left;            /* those whose sinks did not return; under the mutex, too */

/* Whoever logs counts himself in, and looks at the rest then. */
static uint32_t writers;
static uint32_t level; /* 0: off */
static mp_queue_t *queue;
static mp__block_t board;
static uint32_t overloaded; /* the queue was full: nobody waits before it is half empty */

/* Of the thread that calls the sink. */
static uint32_t calling;
static uint32_t paused; /* by so many starts */
static MP__THREAD_LOCAL bool in_sink;

/* ---- lines */

const char *mp_log_level_name(int wanted)
{
    static MP__THREAD_LOCAL char other[24];
    static const struct {
        int level;
        const char *name;
    } names[] = {{MP_LOG_SUBDEBUG, "SUBDEBUG"},     {MP_LOG_DEBUG, "DEBUG"},     {MP_LOG_INFO, "INFO"},
                 {MP_LOG_SUBWARNING, "SUBWARNING"}, {MP_LOG_WARNING, "WARNING"}, {MP_LOG_ERROR, "ERROR"},
                 {MP_LOG_CRITICAL, "CRITICAL"}};
    for (size_t i = 0; i < MP__COUNT_OF(names); i++)
        if (names[i].level == wanted)
            return names[i].name;
    snprintf(other, sizeof other, "Level %d", wanted);
    return other;
}

size_t mp_log_format(const mp_log_line_t *line, char *buffer, size_t size)
{
    if (!line || !buffer || !size)
        return 0;
    int length = snprintf(buffer, size, "[%s/%s] %s", mp_log_level_name(line->level), line->process, line->text);
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}

/* ---- whoever logs */

static bool wants(int line_level)
{
    uint32_t least = mp__load32(&level);
    return least && line_level >= (int)least && !in_sink;
}

static void count_lost(void)
{
    uint64_t size;
    board_t *shared = mp__block_at(board, &size);
    if (shared && size >= sizeof *shared)
        mp__add64(&shared->lost, 1);
}

/* Without waiting, but once when it is found full: who waited for each single place would go as slowly as the sink. */
static mp_status_t put_quickly(const void *line, size_t size)
{
    uint64_t waiting;
    mp_status_t status = mp__queue_put_item(queue, MP__ITEM_BYTES, line, size, 0);
    if (status == MP_OK && mp__load32(&overloaded) && mp_queue_size(queue, &waiting) == MP_OK && waiting <= LINES / 2)
        mp__store32(&overloaded, 0);
    if ((status == MP_TIMEOUT || status == MP_NO_MEMORY) && !mp__swap32(&overloaded, 1))
        status = mp__queue_put_item(queue, MP__ITEM_BYTES, line, size, mp__os_now() + PATIENCE);
    return status;
}

static void put(const void *line, size_t size)
{
    mp_status_t status = put_quickly(line, size);
    if (status == MP_GONE) /* the sink's process has ended, or set it off */
        mp__store32(&level, 0);
    else if (status != MP_OK)
        count_lost();
}

static void write_line(int line_level, const char *format, va_list values)
{
    struct {
        record_t head;
        char text[MP_LOG_TEXT_MAX + 1];
    } line;
    int length = vsnprintf(line.text, sizeof line.text, format, values);
    size_t size = length < 0 ? 0 : (size_t)length < sizeof line.text ? (size_t)length : sizeof line.text - 1;
    if (size && line.text[size - 1] == '\n')
        size--;
    memset(&line.head, 0, sizeof line.head);
    line.head.level = (uint32_t)line_level;
    line.head.pid = mp_getpid();
    line.head.time = apr_time_now();
    snprintf(line.head.process, sizeof line.head.process, "%s", mp_process_name(mp_current_process()));
    mp__add32(&writers, 1);
    if (mp__load32(&level))
        put(&line, sizeof line.head + size);
    mp__add32(&writers, UINT32_MAX);
}

/* Nothing of the caller's changes by it. */
static void log_quietly(int line_level, const char *format, va_list values)
{
    int code = errno;
    mp_error_t error = *mp_error();
    write_line(line_level, format, values);
    mp__error_again(&error);
    errno = code;
}

void mp_log(int line_level, const char *format, ...)
{
    if (!wants(line_level) || line_level <= 0 || line_level > LEVEL_MAX || !format)
        return;
    va_list values;
    va_start(values, format);
    log_quietly(line_level, format, values);
    va_end(values);
}

void mp__log(int line_level, const char *format, ...)
{
    if (MP__LIKELY(!wants(line_level)))
        return;
    va_list values;
    va_start(values, format);
    log_quietly(line_level, format, values);
    va_end(values);
}

int mp_log_level(void)
{
    return (int)mp__load32(&level);
}

/* ---- the sink's thread */

/* A pause lasts for moments; the sink is not begun meanwhile. */
static void begin_call(void)
{
    mp__store32(&calling, 1);
    mp__fence();
    while (mp__load32(&paused)) {
        mp__store32(&calling, 0);
        mp__os_sleep(mp__os_now() + MP__MILLISECOND);
        mp__store32(&calling, 1);
        mp__fence();
    }
}

/* The host's own forks do not wait for it: a handler of theirs may hold what it locks. */
static void call_sink(const outlet_t *it, const mp_log_line_t *line)
{
    mp_log_sink_t sink = (mp_log_sink_t)(uintptr_t)mp__load64(&it->sink);
    mp__local_park();
    begin_call();
    in_sink = true;
    sink(line);
    in_sink = false;
    mp__store32(&calling, 0);
    mp__local_unpark();
}

static void hand_over(const outlet_t *it, const mp__buffer_t *item)
{
    record_t head;
    memcpy(&head, item->data, sizeof head);
    head.process[sizeof head.process - 1] = '\0';
    const mp_log_line_t line = {.level = (int)head.level,
                                .pid = head.pid,
                                .process = head.process,
                                .time = (double)head.time / 1e6,
                                .text = (const char *)item->data + sizeof head,
                                .size = item->size - sizeof head - 1};
    call_sink(it, &line);
}

/* How many lines were lost; when the worst is over, or now and then. */
static void tell_losses(outlet_t *it, bool now)
{
    uint64_t lost = mp__load64(&it->board->lost) - it->told;
    if (!lost || (!now && mp__queue_has_items(it->queue) && mp__os_now() < it->told_at + TELL))
        return;
    char text[100];
    int size = snprintf(text, sizeof text, "%llu lines were lost: they came faster than they were taken",
                        (unsigned long long)lost);
    const mp_log_line_t line = {.level = MP_LOG_WARNING,
                                .pid = mp_getpid(),
                                .process = mp_process_name(mp_current_process()),
                                .time = (double)apr_time_now() / 1e6,
                                .text = text,
                                .size = (size_t)size,
                                .lost = lost};
    call_sink(it, &line);
    it->told += lost;
    it->told_at = mp__os_now();
}

/* The next record, with one more byte behind it. MP_BUSY: none yet. */
static mp_status_t await_line(outlet_t *it, mp__buffer_t *item)
{
    uint64_t size;
    mp__local_park();
    mp_status_t status = mp__queue_await(it->queue, MP__SPIN_BRIEF, mp__os_now() + GLANCE);
    mp__local_unpark();
    if (status == MP_OK || status == MP_TIMEOUT) /* also when nothing seems to be there: that is only a glance */
        status = mp__queue_get_item(it->queue, MP__ITEM_BYTES, UINT64_MAX, item, &size, 0);
    if (status == MP_OK && item->size >= sizeof(record_t) && mp__buffer_append(item, "", 1) == MP_OK)
        return MP_OK;
    if (status == MP_TIMEOUT && !mp__queue_has_items(it->queue)) /* else who puts one stands still in the middle */
        return MP_BUSY;
    if (status == MP_GONE || status == MP_INVALID)
        return status;
    mp__local_nap(RETRY);
    return MP_BUSY;
}

/* Takes lines until it is told to end, or the queue was ended. */
static void take_lines(outlet_t *it)
{
    mp__buffer_t item;
    mp__buffer_init(&item);
    for (;;) {
        uint32_t line_level;
        mp_status_t status = await_line(it, &item);
        if (status == MP_BUSY)
            continue;
        if (status != MP_OK)
            break;
        memcpy(&line_level, item.data, sizeof line_level);
        if (!line_level)
            break;
        hand_over(it, &item);
        tell_losses(it, false);
    }
    mp__buffer_fini(&item);
}

static void run_outlet(void *context)
{
    outlet_t *it = context;
    uint32_t runs = RUNS;
    (void)mp__family_join();
    take_lines(it);
    if (mp__load32(&it->board->state) == RUNS)
        tell_losses(it, true);
    if (mp__cas32(&it->board->state, &runs, DONE))
        mp__wake(&it->board->state, true);
}

/* ---- the outlet */

static mp_status_t make_board(outlet_t *it)
{
    mp_status_t status = mp__block_alloc(sizeof *it->board, mp__owner_process(mp__family.process), &it->block);
    if (status != MP_OK)
        return status;
    it->board = mp__block_at(it->block, NULL);
    memset(it->board, 0, sizeof *it->board);
    return MP_OK;
}

/* Without its thread. */
static void free_outlet(outlet_t *it)
{
    mp_error_t error = *mp_error();
    mp_queue_close(it->queue);
    if (it->board)
        mp__block_free(it->block);
    if (it->pool)
        apr_pool_destroy(it->pool);
    free(it);
    mp__error_again(&error);
}

/* Its thread may still come back to it. */
static void leave_behind(outlet_t *it)
{
    apr_thread_mutex_lock(mutex);
    it->next = left;
    left = it;
    apr_thread_mutex_unlock(mutex);
}

static mp_status_t close_outlet(outlet_t *it)
{
    const record_t end = {.level = 0};
    mp__deadline_t deadline = mp__os_now() + GRACE;
    mp__finalize_remove(it->finalizer);
    (void)mp__queue_put_item(it->queue, MP__ITEM_BYTES, &end, sizeof end, deadline);
    while (mp__load32(&it->board->state) == RUNS && mp__park(&it->board->state, RUNS, deadline) != MP_TIMEOUT)
        ;
    uint32_t runs = RUNS;
    if (mp__cas32(&it->board->state, &runs, ABANDONED)) {
        mp__queue_end(it->queue);
        leave_behind(it);
        return mp__error(MP_TIMEOUT, STEP, "the sink has not returned for %d s", (int)(GRACE / MP__SECOND));
    }
    apr_status_t unused;
    apr_thread_join(&unused, it->thread);
    free_outlet(it);
    return MP_OK;
}

static void close_at_end(void *unused)
{
    (void)unused;
    if (outlet)
        (void)mp_log_set(MP_LOG_OFF, NULL);
}

static mp_status_t make_outlet(outlet_t **out, mp_log_sink_t sink)
{
    outlet_t *it = calloc(1, sizeof *it);
    if (!it)
        return mp__error(MP_NO_MEMORY, STEP, "no memory");
    it->sink = (uint64_t)(uintptr_t)sink;
    mp_status_t status = mp_queue_create(&it->queue, LINES);
    if (status == MP_OK)
        status = make_board(it);
    if (status == MP_OK)
        status = mp__local_pool(&it->pool);
    if (status == MP_OK)
        status = mp__finalize_add(INT_MIN, close_at_end, NULL, &it->finalizer);
    if (status == MP_OK && (status = mp__local_thread(&it->thread, 0, run_outlet, it, it->pool)) != MP_OK)
        mp__finalize_remove(it->finalizer);
    if (status == MP_OK)
        *out = it;
    else
        free_outlet(it);
    return status;
}

/* ---- the route */

/* Nobody logs by the old route any more when it is closed; one who takes too long keeps it. */
static void change_route(uint32_t new_level, mp_queue_t *new_queue, mp__block_t new_board)
{
    mp_queue_t *old = outlet && outlet->queue == queue ? NULL : queue;
    mp__store32(&level, 0);
    mp__fence();
    int64_t until = mp__os_now() + MP__SECOND;
    while (mp__load32(&writers) && mp__os_now() < until)
        mp__os_yield();
    bool idle = !mp__load32(&writers);
    queue = new_queue;
    board = new_board;
    if (old && idle)
        mp_queue_close(old);
    mp__fence();
    mp__store32(&level, new_level);
}

/* In every fork's child, whoever forked: there is no thread here, and the outlet is the parent's. Lines still go there.
 */
static void leave_outlet(void)
{
    mutex_made = 0;
    outlet = NULL;
    writers = calling = paused = 0;
    in_sink = false;
}

static mp_status_t watch_forks(void)
{
    return mp__os_on_fork(leave_outlet);
}

static mp_status_t make_mutex(void)
{
    static mp__once_t forks_watched;
    apr_pool_t *pool;
    mp_status_t status = mp__once(&forks_watched, watch_forks);
    if (status == MP_OK)
        status = mp__local_pool(&pool);
    return status == MP_OK ? mp__local_mutex(&mutex, pool) : status;
}

/* An ancestor's route stays, so that a level is all that it takes to log again. */
static outlet_t *set_off(void)
{
    outlet_t *old = outlet;
    if (!old) {
        mp__store32(&level, 0);
        return NULL;
    }
    change_route(0, NULL, 0);
    outlet = NULL;
    return old;
}

static mp_status_t set_sink(int new_level, mp_log_sink_t sink)
{
    outlet_t *made = NULL;
    if (outlet) {
        mp__store64(&outlet->sink, (uint64_t)(uintptr_t)sink);
        mp__store32(&level, (uint32_t)new_level);
        return MP_OK;
    }
    mp_status_t status = mp__family_join();
    if (status == MP_OK)
        status = make_outlet(&made, sink);
    if (status != MP_OK)
        return status;
    change_route((uint32_t)new_level, made->queue, made->block);
    outlet = made;
    return MP_OK;
}

static mp_status_t set_level(int new_level)
{
    if (!queue)
        return mp__error(MP_INVALID, STEP, "no sink was set here, nor where this process was started from");
    mp__store32(&level, (uint32_t)new_level);
    return MP_OK;
}

mp_status_t mp_log_set(int new_level, mp_log_sink_t sink)
{
    if (new_level < 0 || new_level > LEVEL_MAX)
        return mp__error(MP_INVALID, STEP, "there is no level %d", new_level);
    if (!new_level && in_sink)
        return mp__error(MP_DEADLOCK, STEP, "the sink would wait for itself");
    mp_status_t status = mp__once(&mutex_made, make_mutex);
    if (status == MP_OK && mp__family_joined())
        status = mp__family_join(); /* this thread, to wait for the outlet's */
    if (status != MP_OK)
        return status;
    outlet_t *old = NULL;
    apr_thread_mutex_lock(mutex);
    if (!new_level)
        old = set_off();
    else
        status = sink ? set_sink(new_level, sink) : set_level(new_level);
    apr_thread_mutex_unlock(mutex);
    return old ? close_outlet(old) : status;
}

/* ---- for starts */

mp__log_route_t mp__log_route(void)
{
    mp__log_route_t route = {.level = 0};
    mp__add32(&writers, 1);
    uint32_t now = mp__load32(&level);
    if (now) {
        route.queue = ((const mp__shared_t *)(const void *)queue)->handle.reference;
        route.board = board;
        route.level = now;
    }
    mp__add32(&writers, UINT32_MAX);
    return route;
}

void mp__log_inherit(const mp__log_route_t *route)
{
    void *opened;
    if (!route->level || route->level > LEVEL_MAX || mp__queue_open(&route->queue, &opened) != MP_OK)
        return;
    queue = opened;
    board = route->board;
    mp__store32(&level, route->level);
}

void mp__log_pause(void)
{
    int64_t until = mp__os_now() + PAUSE;
    mp__add32(&paused, 1);
    mp__fence();
    while (mp__load32(&calling) && !in_sink && mp__os_now() < until)
        mp__os_sleep(mp__os_now() + MP__MILLISECOND);
}

void mp__log_resume(void)
{
    mp__add32(&paused, UINT32_MAX);
}

void mp__log_forget(void)
{
    queue = NULL; /* its holder stays: a thread of the parent may have been using it */
    level = overloaded = 0;
    paused = 0; /* the parent's starts pause the parent's sink */
}
