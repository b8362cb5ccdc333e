/* Killed after any instruction of attaching to memory, detaching, ending it, adopting it, or replacing a list's item.
 */
#include "harness.h"
#include "scene.h"

#include "family/alloc.h"

#include <multiproc.h>

#include <string.h>

#define SIZE ((size_t)5000)

static mp_shared_memory_t *memory;
static uint8_t *bytes; /* the case's own pointer, if it has one */

static bool all_are(const uint8_t *data, uint8_t byte)
{
    for (size_t i = 0; i < SIZE; i++)
        if (data[i] != byte)
            return false;
    return true;
}

static bool ok_or_gone(mp_status_t status)
{
    return status == MP_OK || status == MP_GONE;
}

static void set(void)
{
    bytes = NULL;
    HOLDS(mp_shared_memory_create(&memory, SIZE) == MP_OK);
}

static void set_attached(void)
{
    void *data = NULL;
    set();
    HOLDS(mp_shared_memory_data(memory, &data, NULL) == MP_OK);
    bytes = memset(data, 7, SIZE);
}

static void end(void)
{
    if (memory)
        HOLDS(ok_or_gone(mp_shared_memory_close(memory)));
    memory = NULL;
}

/* Another's memory must not come into the place of what somebody is attached to. */
static void end_and_use_again(void)
{
    mp_shared_memory_t *next;
    void *data = NULL;
    end();
    HOLDS(mp_shared_memory_create(&next, SIZE) == MP_OK && mp_shared_memory_data(next, &data, NULL) == MP_OK);
    memset(data, 9, SIZE);
    HOLDS(mp_shared_memory_close(next) == MP_OK);
}

static void check(bool completed)
{
    (void)completed;
    HOLDS(!bytes || all_are(bytes, 7));
    end();
}

static void begin(void)
{
    mp_shared_memory_t *first;
    void *data = NULL;
    REQUIRE_OK(mp_shared_memory_create(&first, SIZE));
    REQUIRE_OK(mp_shared_memory_data(first, &data, NULL)); /* makes this process's table */
    EXPECT_OK(mp_shared_memory_close(first));
    scene_begin();
}

static void play(const scene_t *scene)
{
    begin();
    scene_play(scene);
    scene_end();
}

/* ---- the victims */

static void attach_act(void)
{
    void *data = NULL;
    MP_CHECK(ok_or_gone(mp_shared_memory_data(memory, &data, NULL)));
}

static void join_attached(void)
{
    void *data = NULL;
    scene_join();
    MP_CHECK(mp_shared_memory_data(memory, &data, NULL) == MP_OK);
}

/* Its maker may end it meanwhile. */
static void detach_act(void)
{
    mp_status_t status = mp_shared_memory_close(memory);
    MP_CHECK(status == MP_OK || status == MP_GONE);
}

static void adopt_and_end_act(void)
{
    MP_CHECK(mp_adopt(memory) == MP_OK);
    MP_CHECK(mp_shared_memory_close(memory) == MP_OK);
}

static void live_act(void)
{
    mp_shared_memory_t *own;
    void *data = NULL;
    MP_CHECK(mp_shared_memory_create(&own, 40000) == MP_OK);
    MP_CHECK(mp_shared_memory_data(own, &data, NULL) == MP_OK);
    MP_CHECK(mp_shared_memory_close(own) == MP_OK);
}

static void nothing_more(bool completed)
{
    (void)completed;
}

MP_CASE(an_attach)
{
    play(&(scene_t){.set = set, .prepare = scene_join, .act = attach_act, .check = check});
}

MP_CASE(an_attach_while_it_ends)
{
    play(&(scene_t){
        .set = set, .prepare = scene_join, .act = attach_act, .meanwhile = end_and_use_again, .check = check});
}

MP_CASE(a_stop_in_an_attach)
{
    play(&(scene_t){
        .set = set, .prepare = scene_join, .act = attach_act, .meanwhile = end, .check = check, .resume = true});
}

MP_CASE(a_detach)
{
    play(&(scene_t){.set = set_attached, .prepare = join_attached, .act = detach_act, .check = check});
}

MP_CASE(a_detach_while_it_ends)
{
    play(&(scene_t){.set = set, .prepare = join_attached, .act = detach_act, .meanwhile = end, .check = check});
}

MP_CASE(a_stop_in_a_detach)
{
    play(&(scene_t){
        .set = set, .prepare = join_attached, .act = detach_act, .meanwhile = end, .check = check, .resume = true});
}

MP_CASE(from_its_making_to_its_end)
{
    play(&(scene_t){.prepare = scene_join, .act = live_act, .check = nothing_more});
}

/* ---- it ends elsewhere, while the case is attached */

MP_CASE(an_end_with_another_attached)
{
    play(&(scene_t){.set = set_attached, .prepare = join_attached, .act = adopt_and_end_act, .check = check});
}

static void detach_meanwhile(void)
{
    bytes = NULL;
    end();
}

static void adopted_end_act(void)
{
    mp_status_t status = mp_adopt(memory);
    MP_CHECK(ok_or_gone(status));
    status = mp_shared_memory_close(memory);
    MP_CHECK(ok_or_gone(status));
}

MP_CASE(an_end_beside_another)
{
    play(&(scene_t){.set = set_attached,
                    .prepare = join_attached,
                    .act = adopted_end_act,
                    .meanwhile = detach_meanwhile,
                    .check = check});
}

MP_CASE(a_stop_in_an_end)
{
    play(&(scene_t){.set = set_attached,
                    .prepare = join_attached,
                    .act = adopted_end_act,
                    .meanwhile = detach_meanwhile,
                    .check = check,
                    .resume = true});
}

/* ---- the sweep of who died attached, in memory that has ended */

static const scene_t attached_scene = {.prepare = scene_join, .act = attach_act};

static void set_dead_attached(void)
{
    set();
    scene_kill_first(&attached_scene);
    end();
}

static void sweep_act(void)
{
    mp__sweep_the_dead();
}

MP_CASE(a_sweep_of_who_was_attached)
{
    play(&(scene_t){.set = set_dead_attached, .prepare = scene_join, .act = sweep_act, .check = check});
}

static const scene_t ended_scene = {.prepare = join_attached, .act = adopted_end_act};

static void set_dead_owner(void)
{
    set_attached();
    scene_kill_first(&ended_scene);
}

MP_CASE(a_sweep_of_who_ended_it)
{
    play(&(scene_t){.set = set_dead_owner, .prepare = scene_join, .act = sweep_act, .check = check});
}

/* ---- adopting */

static mp_queue_t *queue;

static void set_queue(void)
{
    HOLDS(mp_queue_create(&queue, 0) == MP_OK && mp_queue_put(queue, 5, 0) == MP_OK);
}

static void adopt_act(void)
{
    MP_CHECK(ok_or_gone(mp_adopt(queue)));
}

/* It is the victim's, and gone with it; or it is not. */
static void check_queue(bool completed)
{
    mp_value_t five;
    mp_status_t status = MP_OK;
    mp__sweep_the_dead();
    if (queue)
        status = mp_queue_get(queue, &five, 0);
    HOLDS(!queue || (completed ? status == MP_GONE : ok_or_gone(status)));
    if (queue)
        HOLDS(mp_queue_close(queue) == status);
}

MP_CASE(an_adoption)
{
    play(&(scene_t){.set = set_queue, .prepare = scene_join, .act = adopt_act, .check = check_queue});
}

static void close_queue(void)
{
    HOLDS(mp_queue_close(queue) == MP_OK);
    queue = NULL;
}

MP_CASE(an_adoption_while_its_owner_closes)
{
    play(&(scene_t){
        .set = set_queue, .prepare = scene_join, .act = adopt_act, .meanwhile = close_queue, .check = check_queue});
}

MP_CASE(a_stop_in_an_adoption)
{
    play(&(scene_t){.set = set_queue,
                    .prepare = scene_join,
                    .act = adopt_act,
                    .meanwhile = close_queue,
                    .check = check_queue,
                    .resume = true});
}

static void adopt_back(void)
{
    HOLDS(mp_adopt(queue) == MP_OK);
}

static void check_adopted_back(bool completed)
{
    (void)completed;
    mp__sweep_the_dead();
    mp_status_t status = mp_queue_put(queue, 1, 0);
    HOLDS(ok_or_gone(status) && mp_queue_close(queue) == status);
}

MP_CASE(two_adoptions)
{
    play(&(scene_t){.set = set_queue,
                    .prepare = scene_join,
                    .act = adopt_act,
                    .meanwhile = adopt_back,
                    .check = check_adopted_back});
}

/* The owner closes what is adopted meanwhile: one of the two has it. */
static void close_own_act(void)
{
    mp_queue_t *own;
    MP_CHECK(mp_queue_create(&own, 0) == MP_OK);
    MP_CHECK(mp_queue_put(queue, own, 0) == MP_OK);
    MP_CHECK(ok_or_gone(mp_queue_close(own)));
}

static void adopt_what_came(void)
{
    mp_value_t number, item;
    if (mp_queue_get(queue, &number, 0) != MP_OK || mp_queue_get(queue, &item, 0) != MP_OK)
        return;
    mp_queue_t *own = mp_value_queue(item);
    mp_status_t adopted = mp_adopt(own);
    HOLDS(ok_or_gone(adopted));
    if (adopted == MP_OK) {
        HOLDS(mp_queue_put(own, 1, 0) == MP_OK);
        mp_keep(own);
        HOLDS(mp_queue_close(own) == MP_OK);
        HOLDS(mp_queue_put(own, 1, 0) == MP_GONE);
    }
    mp_value_free(&item);
}

static void check_empty(bool completed)
{
    (void)completed;
    HOLDS(mp_queue_close(queue) == MP_OK);
}

MP_CASE(an_owners_close_of_what_is_adopted)
{
    play(&(scene_t){.set = set_queue,
                    .prepare = scene_join,
                    .act = close_own_act,
                    .meanwhile = adopt_what_came,
                    .check = check_empty});
}

MP_CASE(a_stop_in_the_close_of_what_is_adopted)
{
    play(&(scene_t){.set = set_queue,
                    .prepare = scene_join,
                    .act = close_own_act,
                    .meanwhile = adopt_what_came,
                    .check = check_empty,
                    .resume = true});
}

/* ---- a list's item */

static mp_shareable_list_t *list;

static void set_list(void)
{
    HOLDS(mp_shareable_list_create(&list, mp_list(1, "the old text", 3)) == MP_OK);
}

static void replace_act(void)
{
    MP_CHECK(mp_shareable_list_set(list, 1, mp_bytes("new bytes", 9)) == MP_OK);
}

static void check_list(bool completed)
{
    mp_value_t item;
    HOLDS(mp_shareable_list_get(list, 1, &item) == MP_OK);
    bool old = mp_value_equal(item, "the old text"), new = mp_value_equal(item, mp_bytes("new bytes", 9));
    HOLDS(completed ? new : old || new);
    mp_value_free(&item);
    HOLDS(mp_shareable_list_set(list, 1, "again") == MP_OK);
    HOLDS(mp_shareable_list_close(list) == MP_OK);
}

MP_CASE(an_item_is_replaced)
{
    play(&(scene_t){.set = set_list, .prepare = scene_join, .act = replace_act, .check = check_list});
}

MP_CASES(MP_ROW(an_attach), MP_ROW(an_attach_while_it_ends), MP_ROW(a_stop_in_an_attach), MP_ROW(a_detach),
         MP_ROW(a_detach_while_it_ends), MP_ROW(a_stop_in_a_detach), MP_ROW(from_its_making_to_its_end),
         MP_ROW(an_end_with_another_attached), MP_ROW(an_end_beside_another), MP_ROW(a_stop_in_an_end),
         MP_ROW(a_sweep_of_who_was_attached), MP_ROW(a_sweep_of_who_ended_it), MP_ROW(an_adoption),
         MP_ROW(an_adoption_while_its_owner_closes), MP_ROW(a_stop_in_an_adoption), MP_ROW(two_adoptions),
         MP_ROW(an_owners_close_of_what_is_adopted), MP_ROW(a_stop_in_the_close_of_what_is_adopted),
         MP_ROW(an_item_is_replaced));
