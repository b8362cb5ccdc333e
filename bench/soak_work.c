/* What the soak's workers do. */
#include "soak.h"

#include "family/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct worker {
    mp_queue_t *queue;
    mp_lock_t *lock;
    soak_ledger_t *ledger;
    uint32_t number;
    uint64_t random;
} worker_t;

static MP_PRINTF(2, 3) void fault(soak_ledger_t *ledger, const char *format, ...)
{
    va_list arguments;
    mp__add32(&ledger->faults, 1);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

/* Notes what should be MP_OK. */
static bool expect(const worker_t *w, mp_status_t status, const char *what)
{
    char text[512];
    if (status != MP_OK)
        fault(w->ledger, "soak: worker %u: %s\n", w->number, mp_error_format(text, sizeof text, what));
    return status == MP_OK;
}

static mp_status_t take_arguments(mp_call_t *call, worker_t *w)
{
    w->queue = mp_arg_queue(call, 0);
    w->lock = mp_arg_lock(call, 1);
    w->ledger = mp__block_at(mp_arg_uint(call, 2), NULL);
    w->number = (uint32_t)mp_arg_uint(call, 3);
    w->random = mp_arg_uint(call, 4);
    return w->ledger ? mp_call_status(call) : MP_GONE;
}

static void begin(const worker_t *w)
{
    uint64_t *begun = &w->ledger->workers[w->number].begun;
    mp__store64(begun, *begun + 1);
}

static void end(const worker_t *w)
{
    uint64_t *returned = &w->ledger->workers[w->number].returned;
    mp__store64(returned, *returned + 1);
}

static bool stopped(const worker_t *w)
{
    return mp__load32(&w->ledger->stop_producers) || mp__load32(&w->ledger->faults);
}

/* ---- items: series, serial, and bytes that tell both */

typedef struct item {
    uint32_t series, serial;
} item_t;

/* Mostly small ones; some that soon fill a chunk, some with a block of their own. */
static size_t size_of(item_t item)
{
    uint32_t kind = (item.series * 7 + item.serial) % 64;
    return kind == 0 ? SOAK_ITEM_MOST - item.serial % 1000 : kind < 4 ? 5000 + item.serial : 16 + item.serial % 300;
}

static size_t make_item(uint8_t *bytes, item_t item)
{
    size_t size = size_of(item);
    memset(bytes, (int)(item.series * 31 + item.serial), size);
    memcpy(bytes, &item, sizeof item);
    return size;
}

bool soak_receive(soak_ledger_t *ledger, const uint8_t *bytes, size_t size)
{
    item_t item;
    if (size < sizeof item)
        return false;
    memcpy(&item, bytes, sizeof item);
    uint8_t expected = (uint8_t)(item.series * 31 + item.serial);
    for (size_t i = sizeof item; i < size; i++)
        if (bytes[i] != expected)
            return false;
    if (item.series >= SOAK_SERIES || item.serial >= SOAK_SERIALS || size != size_of(item))
        return false;
    uint64_t bit = UINT64_C(1) << item.serial % 64;
    if (mp__or64(&ledger->series[item.series].received[item.serial / 64], bit) & bit)
        mp__add64(&ledger->twice, 1);
    return true;
}

static mp_status_t produce(mp_call_t *call)
{
    static uint8_t bytes[SOAK_ITEM_MOST];
    worker_t w;
    item_t item = {SOAK_SERIES, SOAK_SERIALS};
    mp_status_t status = take_arguments(call, &w);
    while (status == MP_OK && !stopped(&w)) {
        if (item.serial == SOAK_SERIALS) {
            item = (item_t){mp__add32(&w.ledger->series_used, 1), 0};
            if (item.series >= SOAK_SERIES)
                break;
            w.ledger->series[item.series].producer = w.number;
        }
        soak_series_t *series = &w.ledger->series[item.series];
        size_t size = make_item(bytes, item);
        begin(&w);
        mp__store32(&series->begun, item.serial + 1);
        if (!expect(&w, mp_queue_put_bytes(w.queue, bytes, size, SOAK_PATIENCE), "put"))
            break;
        mp__store32(&series->returned, ++item.serial);
        end(&w);
    }
    return status;
}

static mp_status_t consume(mp_call_t *call)
{
    static uint8_t bytes[SOAK_ITEM_MOST];
    worker_t w;
    mp_status_t status = take_arguments(call, &w);
    while (status == MP_OK && !mp__load32(&w.ledger->stop)) {
        size_t size = sizeof bytes;
        begin(&w);
        mp_status_t got = mp_queue_get_bytes(w.queue, bytes, &size, 0.2);
        if (got == MP_OK && !soak_receive(w.ledger, bytes, size))
            fault(w.ledger, "soak: worker %u: a damaged item\n", w.number);
        else if (got != MP_TIMEOUT)
            expect(&w, got, "get");
        end(&w);
    }
    return status;
}

/* ---- the lock: two numbers that are the same unless somebody died between them */

static bool work_inside(worker_t *w, bool owner_died)
{
    soak_ledger_t *ledger = w->ledger;
    uint32_t inside = mp__swap32(&ledger->inside, w->number + 1);
    if (owner_died)
        mp__add64(&ledger->owner_deaths, 1);
    else if (inside || ledger->halves[0] != ledger->halves[1])
        fault(ledger, "soak: worker %u has the lock, and so has worker %u\n", w->number, inside - 1);
    mp__store64(&ledger->halves[0], ledger->halves[0] + 1);
    if (soak_below(&w->random, 256) == 0)
        mp_sleep(0.001); /* so that many die here, and others wait asleep */
    mp__store64(&ledger->halves[1], ledger->halves[0]);
    inside = mp__swap32(&ledger->inside, 0);
    if (inside != w->number + 1)
        fault(ledger, "soak: worker %u had the lock when worker %u took it\n", w->number, inside - 1);
    return expect(w, mp_lock_release(w->lock), "release");
}

static mp_status_t lock(mp_call_t *call)
{
    worker_t w;
    mp_status_t status = take_arguments(call, &w);
    bool good = true;
    while (status == MP_OK && good && !stopped(&w)) {
        begin(&w);
        mp_status_t taken = mp_lock_acquire(w.lock, SOAK_PATIENCE);
        good = (taken == MP_OWNER_DIED || expect(&w, taken, "acquire")) && work_inside(&w, taken == MP_OWNER_DIED);
        end(&w);
    }
    return status;
}

/* ---- objects of a worker's own, which nobody must miss when it is gone */

static bool make_objects(worker_t *w)
{
    mp_queue_t *queue;
    mp_lock_t *locks[8];
    uint64_t n = 1 + soak_below(&w->random, 8);
    bool good = expect(w, mp_queue_create(&queue, 0), "make a queue");
    for (uint64_t i = 0; good && i < n; i++)
        good = expect(w, mp_lock_create(&locks[i]), "make a lock") &&
               expect(w, mp_queue_put(queue, locks[i], 0), "put a lock") &&
               expect(w, mp_queue_put_bytes(queue, (uint8_t[5000]){0}, 5000, SOAK_PATIENCE), "put");
    for (uint64_t i = 0; good && i < n; i++)
        good = expect(w, mp_lock_close(locks[i]), "close a lock");
    return good && expect(w, mp_queue_close(queue), "close a queue");
}

static mp_status_t allocate(mp_call_t *call)
{
    worker_t w;
    mp_status_t status = take_arguments(call, &w);
    bool good = true;
    while (status == MP_OK && good && !stopped(&w)) {
        begin(&w);
        good = make_objects(&w);
        end(&w);
    }
    return status;
}

static mp_status_t manage(mp_call_t *call)
{
    worker_t w;
    mp_manager_t *manager = NULL;
    mp_dict_t *dict = NULL;
    mp_status_t status = take_arguments(call, &w);
    bool good = status == MP_OK && expect(&w, mp_manager_start(&manager), "start a manager") &&
                expect(&w, mp_manager_dict(manager, &dict, MP_NONE), "make a dict");
    while (good && !stopped(&w)) {
        mp_value_t sum = MP_NONE;
        int64_t n = 0;
        begin(&w);
        good = expect(&w, mp_dict_set(dict, "a", 1), "set") && expect(&w, mp_dict_add(dict, "a", 1, &sum), "add");
        if (good && (mp_value_as_int(sum, &n) != MP_OK || n != 2))
            fault(w.ledger, "soak: worker %u: 1 and 1 are not 2\n", w.number);
        end(&w);
    }
    if (manager)
        mp_manager_shutdown(manager);
    return status;
}

static mp_status_t twice(mp_call_t *call)
{
    return mp_return(call, 2 * mp_arg_int(call, 0));
}

static mp_status_t serve_pool(mp_call_t *call)
{
    worker_t w;
    mp_pool_t *pool = NULL;
    mp_status_t status = take_arguments(call, &w);
    bool good = status == MP_OK && expect(&w, mp_pool_create(&pool, 2), "make a pool");
    while (good && !stopped(&w)) {
        mp_value_t value = MP_NONE;
        int64_t n = 0;
        begin(&w);
        good = expect(&w, mp_pool_apply(pool, twice, mp_args(21), &value, SOAK_PATIENCE), "apply");
        if (good && (mp_value_as_int(value, &n) != MP_OK || n != 42))
            fault(w.ledger, "soak: worker %u: twice 21 is not 42\n", w.number);
        end(&w);
    }
    mp_pool_free(pool);
    return status;
}

const mp_function_t soak_works[SOAK_ROLES] = {produce, consume, lock, allocate, manage, serve_pool};
