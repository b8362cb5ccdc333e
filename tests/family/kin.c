/* Members: what an invitation looks like on a command line. */
#include "kin.h"

#include "family/alloc.h"
#include "harness.h"
#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WORDS 16

static size_t blocks_in_use(void)
{
    return (size_t)mp__blocks_in_use();
}

void mp_test_family(void)
{
    REQUIRE_OK(mp__family_join());
    mp_test_arena_blocks = blocks_in_use;
    mp_test_warm_up();
}

static mp__invitation_t invite(mp_test_kin_t *kin)
{
    mp__invitation_t invitation = {
        .memory = mp__family.arena.memory, .life = mp__family.arena.life, .size = mp__family.arena.size};
    memcpy(invitation.family, mp__family.head->family, sizeof invitation.family);
    REQUIRE_OK(mp__process_prepare(&invitation.slot, &invitation.epoch, &invitation.nonce));
    kin->slot = invitation.slot;
    kin->epoch = invitation.epoch;
    return invitation;
}

void mp_test_kin_start(mp_test_kin_t *kin, const char *program, uint64_t block, const char *const *words)
{
    char text[200];
    const char *arguments[MOST_WORDS] = {text};
    mp__invitation_t invitation = invite(kin);
    mp__os_handle_t handles[] = {invitation.memory, invitation.life};
    for (size_t i = 0; words && words[i]; i++)
        arguments[i + 1] = words[i];
    snprintf(text, sizeof text,
             "%" PRIx64 ":%x:%x:%x:%x:%" PRIx32 ":%" PRIx32 ":%" PRIx64 ":%" PRIx32 ":%" PRIx32 ":%" PRIx64,
             invitation.size, invitation.family[0], invitation.family[1], invitation.family[2], invitation.family[3],
             invitation.slot, invitation.epoch, invitation.nonce, mp__family.process, mp__family.epoch, block);
    mp_test_start(&kin->child, program, handles, invitation.life == MP__NO_HANDLE ? 1 : 2, arguments);
}

void mp_test_kin_sweep(const mp_test_kin_t *kin)
{
    mp__process_sweep(kin->slot, kin->epoch);
}

mp__os_exit_t mp_test_kin_join(mp_test_kin_t *kin)
{
    mp__os_exit_t end = mp_test_join(&kin->child);
    mp_test_kin_sweep(kin);
    return end;
}

void mp_test_kin_kill(mp_test_kin_t *kin)
{
    mp_test_kill(&kin->child);
}

/* ---- in a sub-program ---- */

static uint32_t root_slot;
static uint32_t root_epoch;

/* The numbers between the colons. */
static void parse(const char *text, uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end;
        numbers[i] = strtoull(text, &end, 16);
        MP_CHECK(end != text && *end == (i + 1 < count ? ':' : '\0'));
        text = end + 1;
    }
}

void *mp_test_kin_accept(void)
{
    uint64_t n[11];
    parse(mp_test_word(0), n, sizeof n / sizeof n[0]);
    mp__invitation_t invitation = {.memory = mp_test_handle(0),
                                   .life = mp_test_handle_count() > 1 ? mp_test_handle(1) : MP__NO_HANDLE,
                                   .size = n[0],
                                   .slot = (uint32_t)n[5],
                                   .epoch = (uint32_t)n[6],
                                   .nonce = n[7]};
    for (size_t i = 0; i < 4; i++)
        invitation.family[i] = (uint16_t)n[1 + i];
    root_slot = (uint32_t)n[8];
    root_epoch = (uint32_t)n[9];
    MP_CHECK(mp__family_accept(&invitation) == MP_OK);
    void *place = mp__block_at(n[10], NULL);
    MP_CHECK(place || !n[10]);
    return place;
}

const char *mp_test_kin_word(size_t i)
{
    return mp_test_word(1 + i);
}

bool mp_test_kin_wanted(void)
{
    return !mp__process_dead(root_slot, root_epoch);
}

void mp_test_jitter(uint64_t *random, uint64_t most)
{
    int64_t until = mp__os_now() + (int64_t)mp_test_below(random, most * 1000);
    while (mp__os_now() < until)
        mp__os_yield();
}
