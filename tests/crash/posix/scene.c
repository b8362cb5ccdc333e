/* Playing scenes. */
#include "scene.h"

#include "harness.h"
#include "random.h"

#include "family/alloc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLE_TIME 0.3 /* seconds a scene */
#define LEAST_TRIES 3

static uint64_t step_number;
static bool failed;
static uint64_t blocks_before;
static uint64_t random_state = 20240229;
static pid_t helper;

void scene_fails(const char *condition, const char *file, int line)
{
    if (!failed)
        printf("%s:%d: after step %lld: %s; last error: %s\n", file, line, (long long)step_number, condition,
               mp_error()->text);
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

void scene_begin(void)
{
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
    mp_test_victim_start(scene->prepare, scene->act);
}

/* One victim, stopped after so many steps; false: it did not come so far. */
static bool try_step(const scene_t *scene, uint64_t steps)
{
    step_number = steps;
    set(scene);
    bool completed = !mp_test_victim_step(steps);
    if (scene->meanwhile)
        scene->meanwhile();
    if (scene->resume)
        HOLDS(mp_test_victim_finish());
    mp_test_victim_kill();
    scene->check(completed || scene->resume);
    check_nothing_left();
    return !completed;
}

static uint64_t count_steps(const scene_t *scene)
{
    uint64_t n = 0;
    set(scene);
    while (mp_test_victim_step(1))
        n++;
    if (scene->meanwhile)
        scene->meanwhile();
    mp_test_victim_kill();
    scene->check(true);
    return n;
}

void scene_kill_first(const scene_t *scene)
{
    static const scene_t *counted;
    static uint64_t steps;
    if (scene != counted) {
        mp_test_victim_start(scene->prepare, scene->act);
        for (steps = 0; mp_test_victim_step(1); steps++)
            ;
        counted = scene;
    } else {
        mp_test_victim_start(scene->prepare, scene->act);
        mp_test_victim_step(scene_below(steps));
    }
    mp_test_victim_kill();
}

void scene_play(const scene_t *scene)
{
    try_step(scene, INT64_MAX); /* the system's loader has done its work then, too */
    uint64_t n = count_steps(scene), tries = 0;
    const char *every = getenv("MP_TEST_EVERY_STEP");
    if (every) {
        uint64_t stride = strtoull(every, NULL, 10);
        for (stride += stride == 0; !failed && (try_step(scene, tries * stride) || tries * stride < n); tries++)
            ;
    } else {
        int64_t end = mp__os_now() + (int64_t)(SAMPLE_TIME * (double)MP__SECOND);
        for (; !failed && (mp__os_now() < end || tries < LEAST_TRIES); tries++)
            try_step(scene, scene_below(n + 1));
    }
    printf("%llu steps, %llu tried\n", (unsigned long long)n, (unsigned long long)tries);
    CU_ASSERT_FALSE(failed);
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
