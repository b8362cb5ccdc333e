/* Playing scenes. */
#include "scene.h"

#include "harness.h"
#include "random.h"

#include "family/alloc.h"
#include "objects/queue.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLE_TIME 0.3 /* seconds a scene */
#define LEAST_TRIES 3
#define LISTS       8

static const char *place = "";
static bool failed;
static uint64_t blocks_before, blocks_set; /* in use: without a scene; when the victim begins */
static uint64_t random_state;
static pid_t helper;
static bool after_death; /* scene_kill_first() is used */

void scene_fails(const char *condition, const char *file, int line)
{
    if (!failed)
        printf("%s:%d: the victim %s: %s; last error: %s\n", file, line, place, condition, mp_error()->text);
    failed = true;
}

bool scene_failed(void)
{
    return failed;
}

uint64_t scene_below(uint64_t n)
{
    return mp_test_below(&random_state, n);
}

static size_t blocks_in_use(void)
{
    return (size_t)mp__blocks_in_use();
}

/* With one processor nobody spins, so an operation takes the same way each time. */
static void stay_on_one_processor(void)
{
#ifdef __linux__
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
#endif
}

void scene_begin(void)
{
    stay_on_one_processor();
    mp__queue_first_chunk = mp__queue_chunk = SCENE_CHUNK;
    mp_test_stepper_open();
    REQUIRE_OK(mp__family_join());
    mp_test_arena_blocks = blocks_in_use;
    mp_test_baseline();
    blocks_before = mp__blocks_in_use();
    mp__may_spin(); /* it asks the system at length, once */
}

void scene_end(void)
{
    mp_test_stepper_close();
}

void scene_join(void)
{
    MP_CHECK(mp__family_join() == MP_OK);
}

/* All that the dead had is given back, and so are their slots. */
static void check_nothing_left(void)
{
    mp__sweep_the_dead();
    for (uint32_t i = 0; i < mp__family.head->process_mark; i++)
        HOLDS(i == mp__family.process || (mp__family.processes[i].claim & 0xff) == MP__PROCESS_FREE);
    for (uint32_t i = 0; i < mp__family.head->thread_mark; i++)
        HOLDS(i == mp__low(mp__self) - 1 || mp__low(mp__family.threads[i].claim) == 0);
    HOLDS(mp__blocks_in_use() == blocks_before);
}

static void set(const scene_t *scene)
{
    if (scene->set)
        scene->set();
    blocks_set = mp__blocks_in_use();
    mp_test_victim_start(scene->prepare, scene->act);
}

/* What the case finds when the victim is dead. */
static void check(const scene_t *scene, bool completed)
{
    if (completed && scene->more)
        HOLDS((int64_t)(mp__blocks_in_use() - blocks_set) == *scene->more);
    scene->check(completed);
}

/* One victim, stopped at a place and killed there; false: it did not come there. */
static bool try_point(const scene_t *scene, mp_test_point_t point)
{
    char text[80];
    snprintf(text, sizeof text, "at %#llx for the %llu. time", (unsigned long long)point.address,
             (unsigned long long)point.hit);
    place = text;
    set(scene);
    bool reached = mp_test_victim_reach(point);
    if (scene->meanwhile)
        scene->meanwhile();
    if (scene->resume || !reached)
        HOLDS(mp_test_victim_finish());
    mp_test_victim_kill();
    check(scene, !reached || scene->resume);
    check_nothing_left();
    place = "";
    return reached;
}

static size_t record_once(const scene_t *scene, mp_test_point_t **points, size_t *left_out)
{
    set(scene);
    size_t n = mp_test_victim_record(points, left_out);
    if (scene->meanwhile)
        scene->meanwhile();
    HOLDS(mp_test_victim_finish());
    mp_test_victim_kill();
    check(scene, true);
    check_nothing_left();
    return n;
}

/* The first run of all goes another way: what is made once is not there yet. The second one is listed; where it depends
 * on how another victim died before, the longest of a few. */
static size_t record(const scene_t *scene, mp_test_point_t **points, size_t *left_out)
{
    try_point(scene, (mp_test_point_t){0, 1});
    size_t n = record_once(scene, points, left_out);
    for (int i = 1; after_death && i < LISTS; i++) {
        mp_test_point_t *others;
        size_t others_left_out, m = record_once(scene, &others, &others_left_out);
        if (m + others_left_out > n + *left_out) {
            mp_test_point_t *shorter = *points;
            *points = others;
            others = shorter;
            n = m;
            *left_out = others_left_out;
        }
        free(others);
    }
    return n;
}

void scene_kill_first(const scene_t *scene)
{
    static const scene_t *recorded;
    static mp_test_point_t *points;
    static size_t n, left_out;
    after_death = true;
    mp_test_victim_start(scene->prepare, scene->act);
    if (scene != recorded) {
        free(points);
        n = mp_test_victim_record(&points, &left_out);
        recorded = scene;
    } else {
        mp_test_victim_reach(points[scene_below(n)]);
    }
    mp_test_victim_kill();
}

/* A number from the environment, or this one. */
static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    uint64_t number = text ? strtoull(text, NULL, 10) : 0;
    return number ? number : otherwise;
}

void scene_play(const scene_t *scene)
{
    uint64_t seed = setting("MP_TEST_STEP_SEED", 20240229), stride = setting("MP_TEST_EVERY_STEP", 0);
    uint64_t tries = 0, missed = 0;
    mp_test_point_t *points;
    size_t left_out;
    random_state = seed;
    size_t n = record(scene, &points, &left_out);
    int64_t begin = mp__os_now(), end = begin + (int64_t)(SAMPLE_TIME * (double)MP__SECOND);
    for (; !failed && (stride ? tries * stride < n : tries < LEAST_TRIES || mp__os_now() < end); tries++)
        missed += !try_point(scene, points[stride ? tries * stride : scene_below(n)]);
    printf("%zu points, %llu tried, %llu broken, %llu not come to, %zu left out (%s %llu, %.1f s)\n", n,
           (unsigned long long)tries, (unsigned long long)failed, (unsigned long long)missed, left_out,
           stride ? "every" : "seed", (unsigned long long)(stride ? stride : seed),
           (double)(mp__os_now() - begin) / (double)MP__SECOND);
    CU_ASSERT_FALSE(failed);
    free(points);
}

void scene_play_asleep(const scene_t *scene)
{
    place = "asleep";
    set(scene);
    HOLDS(mp_test_victim_sleep());
    mp_test_victim_kill();
    check(scene, false);
    check_nothing_left();
    place = "";
    printf("1 points, 1 tried, %d broken, 0 not come to, 0 left out (asleep)\n", failed);
    CU_ASSERT_FALSE(failed);
}

void scene_wait_for_sleepers(uint32_t n)
{
    for (uint32_t asleep = 0; asleep < n; mp__os_yield()) {
        asleep = 0;
        for (uint32_t i = 0; i < mp__family.head->thread_mark; i++)
            asleep += mp__low(mp__load64(&mp__family.threads[i].claim)) && mp__load64(&mp__family.threads[i].parked);
    }
}

void scene_help(void (*run)(void))
{
    fflush(NULL);
    helper = fork();
    if (helper == 0) {
        scene_join();
        run();
        _exit(0);
    }
}

bool scene_helped(void)
{
    int status = -1;
    int64_t end = mp__os_now() + (int64_t)(mp_test_seconds(SOON) * (double)MP__SECOND);
    while (waitpid(helper, &status, WNOHANG) == 0 && mp__os_now() < end)
        mp__os_sleep(mp__os_now() + MP__MILLISECOND / 10);
    if (status == -1) {
        kill(helper, SIGKILL);
        waitpid(helper, &status, 0);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
