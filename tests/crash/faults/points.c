/* The points: their labels, and who dies where. */
#include "faults.h"

#include "core/compiler.h"
#include "family/family.h"
#include "harness.h"
#include "system.h"

#include <apr_env.h>
#include <apr_general.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENVIRONMENT "MP_TEST_FATE"

/* ---- the labels */

#ifdef __ELF__
extern mp_test_point_t *const __start_mp_points[];
extern mp_test_point_t *const __stop_mp_points[];
#define FIRST __start_mp_points
#define END   __stop_mp_points
#else
static mp_test_point_t *const first_point __attribute__((section("mpoint$a"), used)) = NULL;
static mp_test_point_t *const last_point __attribute__((section("mpoint$z"), used)) = NULL;
#define FIRST (&first_point)
#define END   (&last_point)
#endif

static const mp_test_point_t *labels[MP_TEST_LABELS_MOST];
static unsigned label_count;

static int compare(const mp_test_point_t *a, const mp_test_point_t *b)
{
    int order = strcmp(a->file, b->file);
    if (order == 0)
        order = a->line - b->line;
    return order ? order : strcmp(a->operation, b->operation);
}

static int compare_places(const void *a, const void *b)
{
    return compare(*(mp_test_point_t *const *)a, *(mp_test_point_t *const *)b);
}

static void number_labels(void)
{
    static mp_test_point_t *points[4 * MP_TEST_LABELS_MOST];
    size_t count = 0;
    /* Between two sources' pointers the linker may leave room. */
    for (mp_test_point_t *const *p = FIRST; p < END; p++)
        if (*p && count < sizeof points / sizeof *points)
            points[count++] = *p;
    qsort(points, count, sizeof *points, compare_places);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare(points[i - 1], points[i]) != 0)
            labels[label_count++] = points[i];
        points[i]->label = label_count - 1;
        if (label_count == MP_TEST_LABELS_MOST)
            abort(); /* the table is too short */
    }
}

unsigned mp_test_label_count(void)
{
    return label_count;
}

const mp_test_point_t *mp_test_label(unsigned label)
{
    return labels[label];
}

const char *mp_test_file_of(const mp_test_point_t *point)
{
    const char *below = strstr(point->file, "/src/");
    return below ? below + strlen("/src/") : point->file;
}

/* ---- fates */

static MP__THREAD_LOCAL struct {
    bool armed;
    long except; /* not in this process: it only starts the victims */
    mp_test_fate_t fate;
    mp_test_witness_t *witness;
} own;

static mp_test_witness_t untold; /* of a process that has no shared memory yet */

static void begin_from_birth(const char *text)
{
    unsigned label, side, nth;
    if (sscanf(text, "%u %u %u", &label, &side, &nth) == 3) {
        own.fate = (mp_test_fate_t){label, side, nth};
        own.witness = &untold;
        own.armed = true;
    }
}

static __attribute__((constructor)) void be_born(void)
{
    const char *text = getenv(ENVIRONMENT);
    number_labels();
    if (text)
        begin_from_birth(text);
}

void mp_test_fate_begin(mp_test_fate_t fate, mp_test_witness_t *witness)
{
    own.fate = fate;
    own.witness = witness;
    own.except = 0;
    own.armed = true;
}

void mp_test_fate_end(void)
{
    own.armed = false;
}

void mp_test_fate_of_children(mp_test_fate_t fate)
{
    char text[60];
    apr_pool_t *pool;
    snprintf(text, sizeof text, "%u %u %u", fate.label, fate.side, fate.nth);
    MP_CHECK(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    MP_CHECK(apr_env_set(ENVIRONMENT, text, pool) == APR_SUCCESS);
    apr_pool_destroy(pool);
    memset(&untold, 0, sizeof untold);
    mp_test_fate_begin(fate, &untold);
    own.except = mp_test_pid();
}

void mp_test_fate_of_children_end(void)
{
    apr_pool_t *pool;
    MP_CHECK(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    apr_env_delete(ENVIRONMENT, pool);
    apr_pool_destroy(pool);
    mp_test_fate_end();
}

void mp_test_fate_tell(mp_test_witness_t *witness)
{
    memcpy(witness->hits, untold.hits, sizeof untold.hits);
    own.witness = witness;
}

void mp_test_die_now(mp_test_witness_t *witness)
{
    mp__store32(&witness->dead, 1);
    mp_test_kill_pid((int32_t)mp_test_pid());
    for (;;)
        mp_test_moment();
}

void mp_test_at(const mp_test_point_t *here, const void *word, mp_test_side_t side)
{
    if (MP__LIKELY(!own.armed))
        return;
    const uint8_t *place = word, *base = mp__family.base;
    if (!base || place < base || place >= base + mp__family.arena.size || own.except == mp_test_pid())
        return;
    uint32_t nth = ++own.witness->hits[here->label][side];
    if (own.fate.label == here->label && own.fate.side == side && own.fate.nth == nth)
        mp_test_die_now(own.witness);
}
