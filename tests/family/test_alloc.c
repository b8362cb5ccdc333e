/* The arena's allocator: blocks apart from each other, names that go stale, the cap, and what the dead leave. */
#include "harness.h"
#include "kin.h"
#include "random.h"

#include "family/alloc.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

static mp__owner_t self(void)
{
    return mp__owner_process(mp__family.process);
}

/* ---- blocks with something in them ---- */

typedef struct piece {
    mp__block_t block;
    uint64_t asked;
    uint8_t *place;
    uint64_t size;
    uint64_t mark; /* written at both ends of what was asked for */
} piece_t;

/* From 1 byte to 2 MiB, each power of two as likely as the next. */
static uint64_t some_size(uint64_t *random)
{
    uint64_t most = (uint64_t)2 << mp_test_below(random, 21);
    return 1 + mp_test_below(random, most);
}

static void write_marks(const piece_t *piece)
{
    size_t n = piece->asked < sizeof piece->mark ? (size_t)piece->asked : sizeof piece->mark;
    memcpy(piece->place, &piece->mark, n);
    memcpy(piece->place + piece->asked - n, &piece->mark, n);
}

static bool marks_hold(const piece_t *piece)
{
    size_t n = piece->asked < sizeof piece->mark ? (size_t)piece->asked : sizeof piece->mark;
    uint64_t expected = piece->mark;
    if (n < piece->asked && piece->asked < 2 * n)
        return memcmp(piece->place + piece->asked - n, &expected, n) == 0;
    return memcmp(piece->place, &expected, n) == 0 && memcmp(piece->place + piece->asked - n, &expected, n) == 0;
}

static mp_status_t take_piece(piece_t *piece, uint64_t size, uint64_t mark)
{
    *piece = (piece_t){.asked = size, .mark = mark};
    mp_status_t status = mp__block_alloc(size, self(), &piece->block);
    if (status != MP_OK)
        return status;
    piece->place = mp__block_at(piece->block, &piece->size);
    MP_CHECK(piece->place && piece->size >= size && mp__offset_of(piece->place) % 64 == 0);
    write_marks(piece);
    return MP_OK;
}

static void give_piece(piece_t *piece)
{
    MP_CHECK(marks_hold(piece));
    mp__block_free(piece->block);
    piece->block = 0;
}

static int by_place(const void *a, const void *b)
{
    const piece_t *x = *(piece_t *const *)a, *y = *(piece_t *const *)b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* Do the whole blocks lie apart, also where nothing was written? */
static bool apart(piece_t *pieces, size_t n)
{
    const piece_t *sorted[512];
    size_t live = 0;
    for (size_t i = 0; i < n; i++)
        if (pieces[i].block)
            sorted[live++] = &pieces[i];
    qsort(sorted, live, sizeof sorted[0], by_place);
    for (size_t i = 1; i < live; i++)
        if (sorted[i - 1]->place + sorted[i - 1]->size > sorted[i]->place)
            return false;
    return true;
}

/* Takes a piece in an empty place of the table, gives back one in another. */
static void exchange(piece_t *piece, uint64_t *random)
{
    if (piece->block)
        give_piece(piece);
    else
        MP_CHECK(take_piece(piece, some_size(random), mp_test_random(random)) == MP_OK);
}

MP_CASE(blocks_of_all_sizes_lie_apart_and_all_come_back)
{
    static piece_t pieces[300];
    uint64_t random = 7;
    mp_test_family();
    uint64_t before = mp__blocks_in_use();
    for (int i = 0; i < 5000; i++) {
        exchange(&pieces[mp_test_below(&random, 300)], &random);
        if (i % 50 == 0)
            CU_ASSERT(apart(pieces, 300));
    }
    uint64_t live = 0;
    for (size_t i = 0; i < 300; i++)
        live += pieces[i].block != 0;
    CU_ASSERT(live > 0);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before + live);
    for (size_t i = 0; i < 300; i++)
        if (pieces[i].block)
            give_piece(&pieces[i]);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
}

MP_CASE(memory_that_came_back_is_used_again)
{
    static piece_t pieces[200];
    mp_test_family();
    uint64_t committed = 0;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 200; i++)
            REQUIRE_OK(take_piece(&pieces[i], 1 + i * 997, i));
        for (size_t i = 0; i < 200; i++)
            give_piece(&pieces[i]);
        if (round == 1)
            committed = mp__bytes_committed();
    }
    CU_ASSERT_EQUAL(mp__bytes_committed(), committed);
}

/* ---- names ---- */

MP_CASE(to_free_twice_is_harmless)
{
    static const uint64_t sizes[] = {1, 64, 5000, 32768, 32769, 300000};
    mp_test_family();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        mp__block_t first, second, third;
        uint64_t before = mp__blocks_in_use();
        REQUIRE_OK(mp__block_alloc(sizes[i], self(), &first));
        mp__block_free(first);
        mp__block_free(first);
        CU_ASSERT_PTR_NULL(mp__block_at(first, NULL));
        CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
        REQUIRE_OK(mp__block_alloc(sizes[i], self(), &second));
        REQUIRE_OK(mp__block_alloc(sizes[i], self(), &third));
        CU_ASSERT_PTR_NOT_EQUAL(mp__block_at(second, NULL), mp__block_at(third, NULL));
        mp__block_free(first); /* its place is another's by now */
        CU_ASSERT_PTR_NOT_NULL(mp__block_at(second, NULL));
        CU_ASSERT_PTR_NOT_NULL(mp__block_at(third, NULL));
        CU_ASSERT_EQUAL(mp__blocks_in_use(), before + 2);
        mp__block_free(second);
        mp__block_free(third);
        CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    }
    mp__block_free(0);
}

MP_CASE(stale_names_find_nothing)
{
    mp__block_t old, now, found;
    uint64_t size;
    mp_test_family();
    REQUIRE_OK(mp__block_alloc(100, self(), &old));
    void *place = mp__block_at(old, NULL);
    mp__block_free(old);
    REQUIRE_OK(mp__block_alloc(100, self(), &now));
    CU_ASSERT_PTR_EQUAL(mp__block_at(now, NULL), place);
    CU_ASSERT_NOT_EQUAL(now, old);
    CU_ASSERT_PTR_NULL(mp__block_at(old, NULL));
    CU_ASSERT_FALSE(mp__block_take(old, self()));
    CU_ASSERT_FALSE(mp__block_give(old, self(), self()));
    CU_ASSERT(mp__block_owned((uint32_t)now, self(), &found, &size));
    CU_ASSERT_EQUAL(found, now);
    mp__block_free(now);
    CU_ASSERT_FALSE(mp__block_owned((uint32_t)now, self(), &found, &size));
}

MP_CASE(any_name_is_safe)
{
    uint64_t random = 3;
    static piece_t pieces[40];
    mp_test_family();
    for (size_t i = 0; i < 40; i++)
        REQUIRE_OK(take_piece(&pieces[i], some_size(&random), i));
    uint64_t before = mp__blocks_in_use();
    for (int i = 0; i < 100000; i++) {
        mp__block_t name = mp_test_random(&random);
        if (i % 2) /* near the real ones */
            name = (name & ~UINT64_C(0xffffffff)) |
                   (((uint32_t)pieces[i % 40].block + mp_test_below(&random, 64)) & 0xffffffff);
        name |= (uint64_t)0x80000000 << 32; /* no generation comes that far here */
        CU_ASSERT_FALSE(mp__block_at(name, NULL) || mp__block_take(name, self()) ||
                        mp__block_give(name, self(), self()));
        mp__block_free(name);
    }
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    for (size_t i = 0; i < 40; i++)
        give_piece(&pieces[i]);
}

/* Pages whose generations come to their end are left alone, so that no name ever means two blocks. */
MP_CASE(used_up_pages_are_not_used_again)
{
    mp__block_t block, next;
    mp_test_family();
    REQUIRE_OK(mp__block_alloc(100000, self(), &block));
    uint64_t page = ((uint64_t)(uint32_t)block * 64 - mp__family.offsets[MP__REGION_PAYLOAD]) / MP__PAGE_SIZE;
    mp__block_free(block);
    mp__family.pages[page] |= UINT64_C(0xffffffe0) << 32;
    uint32_t generation = 0, place = (uint32_t)block;
    for (int i = 0; i < 20 && (uint32_t)block == place; i++) {
        REQUIRE_OK(mp__block_alloc(100000, self(), &block));
        if ((uint32_t)block == place)
            CU_ASSERT(mp__high(block) > generation && mp__high(block) > 0xffffffe0);
        generation = mp__high(block);
        mp__block_free(block);
    }
    CU_ASSERT_NOT_EQUAL((uint32_t)block, place);
    REQUIRE_OK(mp__block_alloc(100000, self(), &next));
    CU_ASSERT_NOT_EQUAL((uint32_t)next, place);
    mp__block_free(next);
}

/* ---- owners ---- */

MP_CASE(a_block_goes_from_owner_to_owner)
{
    mp__block_t block, found, header;
    uint64_t size;
    mp_test_family();
    REQUIRE_OK(mp__header_alloc(self(), &header));
    mp__owner_t container = mp__owner_container((uint32_t)header);
    REQUIRE_OK(mp__block_alloc(100, self(), &block));
    CU_ASSERT_FALSE(mp__block_give(block, container, self()));
    CU_ASSERT(mp__block_give(block, self(), container));
    CU_ASSERT_FALSE(mp__block_owned((uint32_t)block, self(), &found, &size));
    CU_ASSERT(mp__block_owned((uint32_t)block, container, &found, &size));
    CU_ASSERT_EQUAL(found, block);
    CU_ASSERT(mp__block_take(block, self()));
    CU_ASSERT(mp__block_owned((uint32_t)block, self(), &found, &size));
    CU_ASSERT(mp__block_give(block, self(), container));
    mp__release_content((uint32_t)header);
    CU_ASSERT_PTR_NULL(mp__block_at(block, NULL));
    mp__block_free(header);
}

MP_CASE(a_header_stays_a_header)
{
    mp__block_t header, block;
    uint32_t generation;
    mp_test_family();
    REQUIRE_OK(mp__header_alloc(self(), &header));
    uint32_t place = (uint32_t)header;
    CU_ASSERT(mp__header_at(place));
    CU_ASSERT(mp__header_live(place, &generation));
    CU_ASSERT_EQUAL(generation, mp__high(header));
    mp__block_free(header);
    CU_ASSERT(mp__header_at(place));
    CU_ASSERT_FALSE(mp__header_live(place, &generation));
    REQUIRE_OK(mp__block_alloc(256, self(), &block));
    CU_ASSERT_FALSE(mp__header_at((uint32_t)block));
    mp__block_free(block);
}

/* ---- limits ---- */

/* Takes blocks of this size until there is no more; the number, and the last one. */
static size_t take_all(uint64_t size, mp__block_t *blocks, size_t most)
{
    size_t n = 0;
    while (n < most && mp__block_alloc(size, self(), &blocks[n]) == MP_OK)
        n++;
    return n;
}

static void give_all(const mp__block_t *blocks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mp__block_free(blocks[i]);
}

MP_CASE(the_cap_is_named_and_given_back_memory_counts)
{
    static mp__block_t blocks[20000];
    REQUIRE_OK(mp__family_configure(256 * MIB, 16 * MIB));
    mp_test_family();
    uint64_t before = mp__blocks_in_use();
    size_t n = take_all(200000, blocks, 20000);
    CU_ASSERT(n >= 16 * MIB / 262144 - 2 && n * 200000 <= 16 * MIB);
    CU_ASSERT_EQUAL(mp_error()->status, MP_NO_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "memory_cap"));
    CU_ASSERT(mp__bytes_committed() <= 16 * MIB);
    mp__block_free(blocks[0]);
    REQUIRE_OK(mp__block_alloc(200000, self(), &blocks[0]));
    give_all(blocks, n);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    n = take_all(1000, blocks, 20000); /* what was large can be small */
    CU_ASSERT(n >= 12 * MIB / 1024);
    give_all(blocks, n);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
}

MP_CASE(one_block_beyond_the_cap_is_refused_at_once)
{
    mp__block_t block;
    REQUIRE_OK(mp__family_configure(256 * MIB, 16 * MIB));
    mp_test_family();
    EXPECT_STATUS(mp__block_alloc(17 * MIB, self(), &block), MP_NO_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "memory_cap"));
    EXPECT_STATUS(mp__block_alloc(UINT64_MAX, self(), &block), MP_NO_MEMORY);
    EXPECT_STATUS(mp__block_alloc(MP__BLOCK_MOST, self(), &block), MP_NO_MEMORY);
    REQUIRE_OK(mp__block_alloc(15 * MIB, self(), &block));
    mp__block_free(block);
    REQUIRE_OK(mp__block_alloc(15 * MIB, self(), &block));
    mp__block_free(block);
}

MP_CASE(the_end_of_the_address_space_is_named)
{
    static mp__block_t blocks[100];
    REQUIRE_OK(mp__family_configure(64 * MIB, 1024 * MIB));
    mp_test_family();
    size_t n = take_all(4 * MIB, blocks, 100);
    CU_ASSERT(n >= 10 && n <= 16);
    CU_ASSERT_EQUAL(mp_error()->status, MP_NO_MEMORY);
    CU_ASSERT_PTR_NOT_NULL(strstr(mp_error()->text, "arena_size"));
    give_all(blocks, n);
    CU_ASSERT_EQUAL(take_all(4 * MIB, blocks, 100), n);
    give_all(blocks, n);
}

MP_CASE(configure_comes_too_late_for_a_member)
{
    mp_test_family();
    EXPECT_STATUS(mp__family_configure(64 * MIB, 0), MP_STATE);
}

MP_CASE(a_large_run_gives_its_memory_back)
{
    mp__block_t block;
    mp_test_family();
    uint64_t before = mp__bytes_committed();
    REQUIRE_OK(mp__block_alloc(200 * MIB, self(), &block));
    memset(mp__block_at(block, NULL), 1, (size_t)(200 * MIB));
    CU_ASSERT(mp__bytes_committed() >= before + 200 * MIB);
    mp__block_free(block);
    if (mp__os_caps()->discard)
        CU_ASSERT(mp__bytes_committed() <= before + MIB);
    uint64_t kept = mp__bytes_committed();
    REQUIRE_OK(mp__block_alloc(200 * MIB, self(), &block)); /* in the same place */
    CU_ASSERT(mp__bytes_committed() <= kept + 201 * MIB);
    memset(mp__block_at(block, NULL), 2, (size_t)(200 * MIB));
    mp__block_free(block);
    CU_ASSERT_EQUAL(mp__bytes_committed(), kept);
}

/* ---- other members ---- */

typedef struct post {
    mp__block_t blocks[2];
} post_t;

MP_PROGRAM(answers)
{
    post_t *post = mp_test_kin_accept();
    uint8_t *theirs = mp__block_at(post->blocks[0], NULL);
    MP_CHECK(theirs && theirs[8 * MIB - 1] == 'x');
    MP_CHECK(mp__block_alloc(9 * MIB, mp__owner_process(mp__family.process), &post->blocks[1]) == MP_OK);
    memset(mp__block_at(post->blocks[1], NULL), 'y', (size_t)(9 * MIB));
    mp__block_free(post->blocks[0]);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'd'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'g'));
    return 0;
}

MP_CASE(what_one_allocates_others_read_and_free)
{
    mp__block_t block;
    mp_test_kin_t kin;
    mp_test_family();
    REQUIRE_OK(mp__block_alloc(sizeof(post_t), self(), &block));
    post_t *post = mp__block_at(block, NULL);
    REQUIRE_OK(mp__block_alloc(8 * MIB, self(), &post->blocks[0]));
    memset(mp__block_at(post->blocks[0], NULL), 'x', (size_t)(8 * MIB));
    mp_test_kin_start(&kin, "answers", block, NULL);
    CU_ASSERT(mp_test_hear(kin.child.talk, 'd'));
    CU_ASSERT_PTR_NULL(mp__block_at(post->blocks[0], NULL));
    const uint8_t *theirs = mp__block_at(post->blocks[1], NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(theirs);
    CU_ASSERT_EQUAL(theirs[9 * MIB - 1], 'y');
    CU_ASSERT(mp_test_tell(kin.child.talk, 'g'));
    CU_ASSERT_EQUAL(mp_test_kin_join(&kin).code, 0);
    CU_ASSERT_PTR_NULL(mp__block_at(post->blocks[1], NULL)); /* its owner ended */
    mp__block_free(block);
}

/* ---- deaths ---- */

MP_PROGRAM(hoards)
{
    uint64_t random = 11;
    (void)mp_test_kin_accept();
    for (uint64_t i = 0; i < 500; i++) {
        piece_t piece;
        MP_CHECK(take_piece(&piece, some_size(&random) / 8 + 1, i) == MP_OK);
    }
    MP_CHECK(mp_test_tell(mp_test_talk(), 'h'));
    mp_test_hear(mp_test_talk(), 'g');
    return 0;
}

MP_CASE(what_a_killed_process_held_comes_back)
{
    mp_test_kin_t kin;
    mp_test_family();
    uint64_t before = mp__blocks_in_use();
    mp_test_kin_start(&kin, "hoards", 0, NULL);
    CU_ASSERT(mp_test_hear(kin.child.talk, 'h'));
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before + 500);
    mp_test_kin_kill(&kin);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before + 500);
    mp_test_kin_sweep(&kin);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    mp_test_kin_sweep(&kin);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
}

/* Allocates and frees as fast as it can. */
MP_PROGRAM(storms)
{
    static piece_t pieces[100];
    uint64_t random = 1 + (uint64_t)mp__os_pid();
    (void)mp_test_kin_accept();
    MP_CHECK(mp_test_tell(mp_test_talk(), 'r'));
    for (int i = 0; i % 1000 != 0 || mp_test_kin_wanted(); i++) {
        piece_t *piece = &pieces[mp_test_below(&random, 100)];
        if (piece->block)
            give_piece(piece);
        else
            MP_CHECK(take_piece(piece, some_size(&random) / 4 + 1, mp_test_random(&random)) == MP_OK);
    }
    return 0;
}

static void start_storm(mp_test_kin_t *kin)
{
    mp_test_kin_start(kin, "storms", 0, NULL);
    CU_ASSERT(mp_test_hear(kin->child.talk, 'r'));
}

/* Also the sweep, here and now, meets the storm of the others. */
MP_CASE(killed_while_allocating)
{
    static piece_t pieces[50];
    mp_test_kin_t storms[3];
    uint64_t random = 5;
    mp_test_family();
    uint64_t before = mp__blocks_in_use();
    for (int i = 0; i < 3; i++)
        start_storm(&storms[i]);
    int kills = 0;
    for (mp__deadline_t enough = mp_test_deadline(4); kills < 20 || (kills < 150 && mp__os_now() < enough); kills++) {
        mp_test_kin_t *victim = &storms[mp_test_below(&random, 3)];
        mp_test_jitter(&random, 3000);
        mp_test_kin_kill(victim);
        for (int i = 0; i < 100; i++)
            exchange(&pieces[mp_test_below(&random, 50)], &random);
        mp_test_kin_sweep(victim);
        start_storm(victim);
    }
    for (int i = 0; i < 3; i++) {
        mp_test_kin_kill(&storms[i]);
        mp_test_kin_sweep(&storms[i]);
    }
    CU_ASSERT(apart(pieces, 50));
    for (int i = 0; i < 50; i++)
        if (pieces[i].block)
            give_piece(&pieces[i]);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    for (int i = 0; i < 1000; i++)
        exchange(&pieces[mp_test_below(&random, 50)], &random);
    CU_ASSERT(apart(pieces, 50));
    for (int i = 0; i < 50; i++)
        if (pieces[i].block)
            give_piece(&pieces[i]);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
}

MP_CASES(MP_ROW(blocks_of_all_sizes_lie_apart_and_all_come_back), MP_ROW(memory_that_came_back_is_used_again),
         MP_ROW(to_free_twice_is_harmless), MP_ROW(stale_names_find_nothing), MP_ROW(any_name_is_safe),
         MP_ROW(used_up_pages_are_not_used_again), MP_ROW(a_block_goes_from_owner_to_owner),
         MP_ROW(a_header_stays_a_header), MP_ROW(the_cap_is_named_and_given_back_memory_counts),
         MP_ROW(one_block_beyond_the_cap_is_refused_at_once), MP_ROW(the_end_of_the_address_space_is_named),
         MP_ROW(configure_comes_too_late_for_a_member), MP_ROW(a_large_run_gives_its_memory_back),
         MP_ROW(what_one_allocates_others_read_and_free), MP_ROW(what_a_killed_process_held_comes_back),
         MP_ROW(killed_while_allocating), MP_SUB(answers), MP_SUB(hoards), MP_SUB(storms));
