/* Shared objects: references that hold and those that do not, and how objects end. */
#include "harness.h"
#include "kin.h"
#include "random.h"
#include "system.h"

#include "family/object.h"

#include <string.h>

#define KIND  MP_KIND_LOCK
#define OTHER MP_KIND_QUEUE

static mp_status_t open_it(const mp__reference_t *reference)
{
    mp__header_t *header;
    return mp__object_open(reference, KIND, &header);
}

static bool is_mine(const mp__header_t *header)
{
    return header->owner == mp__family.process && header->owner_epoch == mp__family.epoch;
}

/* ---- references ---- */

MP_CASE(a_reference_leads_to_its_object)
{
    mp__header_t *made, *found;
    mp__reference_t reference;
    mp_test_family();
    REQUIRE_OK(mp__object_create(KIND, &made, &reference));
    REQUIRE_OK(mp__object_open(&reference, KIND, &found));
    CU_ASSERT_PTR_EQUAL(made, found);
    CU_ASSERT(mp__object_is(found, &reference));
    CU_ASSERT(is_mine(found));
    for (size_t i = 0; i < MP__COUNT_OF(made->body); i++)
        CU_ASSERT_EQUAL(made->body[i], 0);
    EXPECT_OK(mp__object_end(made, &reference, NULL));
}

MP_CASE(another_familys_is_foreign)
{
    mp__header_t *header;
    mp__reference_t reference;
    mp_test_family();
    REQUIRE_OK(mp__object_create(KIND, &header, &reference));
    for (int bit = 0; bit < 48; bit++) {
        mp__reference_t foreign = reference;
        foreign.family[bit / 16] = (uint16_t)(foreign.family[bit / 16] ^ 1u << bit % 16);
        EXPECT_STATUS(open_it(&foreign), MP_FOREIGN);
    }
    EXPECT_OK(mp__object_end(header, &reference, NULL));
}

MP_CASE(after_the_end_it_is_gone_also_when_the_place_is_used_again)
{
    mp__header_t *header, *again;
    mp__reference_t reference, next;
    mp_test_family();
    REQUIRE_OK(mp__object_create(KIND, &header, &reference));
    EXPECT_OK(mp__object_end(header, &reference, NULL));
    EXPECT_STATUS(open_it(&reference), MP_GONE);
    EXPECT_STATUS(mp__object_end(header, &reference, NULL), MP_GONE);
    EXPECT_STATUS(mp__object_lock(header, &header->lock, &reference, MP__NEVER), MP_GONE);
    REQUIRE_OK(mp__object_create(KIND, &again, &next));
    CU_ASSERT_PTR_EQUAL(again, header);
    EXPECT_STATUS(open_it(&reference), MP_GONE);
    EXPECT_STATUS(mp__object_end(header, &reference, NULL), MP_GONE);
    EXPECT_OK(open_it(&next));
    EXPECT_OK(mp__object_end(again, &next, NULL));
}

MP_CASE(another_kind_is_malformed)
{
    mp__header_t *header;
    mp__reference_t reference;
    mp_test_family();
    REQUIRE_OK(mp__object_create(KIND, &header, &reference));
    EXPECT_STATUS(mp__object_open(&reference, OTHER, &header), MP_MALFORMED);
    mp__reference_t lying = reference;
    lying.kind = OTHER;
    EXPECT_STATUS(mp__object_open(&lying, OTHER, &header), MP_MALFORMED);
    EXPECT_STATUS(open_it(&lying), MP_MALFORMED);
    EXPECT_OK(mp__object_end(header, &reference, NULL));
}

MP_CASE(a_damaged_header_is_corrupt)
{
    mp__header_t *header;
    mp__reference_t reference;
    mp_test_family();
    REQUIRE_OK(mp__object_create(KIND, &header, &reference));
    header->check ^= 1;
    EXPECT_STATUS(open_it(&reference), MP_CORRUPT);
    header->check ^= 1;
    EXPECT_OK(open_it(&reference));
    EXPECT_OK(mp__object_end(header, &reference, NULL));
}

/* Changes one field of a reference that holds, or all of them. */
static mp__reference_t scramble(const mp__reference_t *real, uint64_t *random)
{
    mp__reference_t reference = *real;
    uint64_t bits = mp_test_random(random);
    switch (mp_test_below(random, 5)) {
    case 0:
        reference.place = (uint32_t)bits;
        break;
    case 1:
        reference.place += (uint32_t)mp_test_below(random, 4096) - 2048;
        break;
    case 2:
        reference.generation = (uint32_t)bits;
        break;
    case 3:
        reference.kind = (uint16_t)bits;
        break;
    default:
        reference.place = (uint32_t)bits;
        reference.generation = (uint32_t)(bits >> 32);
        reference.kind = (uint16_t)mp_test_random(random);
        memcpy(reference.family, &bits, sizeof reference.family);
    }
    return reference;
}

static bool same(const mp__reference_t *a, const mp__reference_t *b)
{
    return a->place == b->place && a->generation == b->generation && a->kind == b->kind &&
           memcmp(a->family, b->family, sizeof a->family) == 0;
}

MP_CASE(garbage_never_opens)
{
    mp__header_t *headers[20];
    mp__reference_t real[20];
    mp__block_t block;
    uint64_t random = 99;
    mp_test_family();
    for (int i = 0; i < 20; i++)
        REQUIRE_OK(mp__object_create(KIND, &headers[i], &real[i]));
    REQUIRE_OK(mp__block_alloc(100000, mp__owner_process(mp__family.process), &block));
    uint64_t opened = 0;
    for (int i = 0; i < 100000; i++) {
        mp__reference_t reference = scramble(&real[i % 20], &random);
        bool holds = false;
        for (int j = 0; j < 20; j++)
            holds = holds || same(&reference, &real[j]);
        mp_status_t status = open_it(&reference);
        CU_ASSERT(holds == (status == MP_OK));
        opened += status == MP_OK;
        CU_ASSERT(holds || status == MP_FOREIGN || status == MP_MALFORMED || status == MP_GONE);
    }
    CU_ASSERT(opened < 1000);
    mp__block_free(block);
    for (int i = 0; i < 20; i++)
        EXPECT_OK(mp__object_end(headers[i], &real[i], NULL));
}

/* ---- owners ---- */

typedef struct post {
    mp__reference_t reference;
    mp__block_t content[3];
} post_t;

static post_t *make_post(mp__block_t *block)
{
    mp_test_family();
    REQUIRE_OK(mp__block_alloc(sizeof(post_t), mp__owner_process(mp__family.process), block));
    post_t *post = mp__block_at(*block, NULL);
    memset(post, 0, sizeof *post);
    return post;
}

/* An object with blocks of its own. */
static mp__header_t *make_object(post_t *post)
{
    mp__header_t *header;
    MP_CHECK(mp__object_create(KIND, &header, &post->reference) == MP_OK);
    for (int i = 0; i < 3; i++)
        MP_CHECK(mp__block_alloc(5000, mp__owner_container(post->reference.place), &post->content[i]) == MP_OK);
    return header;
}

MP_PROGRAM(makes)
{
    post_t *post = mp_test_kin_accept();
    mp__header_t *header = make_object(post);
    MP_CHECK(is_mine(header));
    MP_CHECK(mp_test_tell(mp_test_talk(), 'm'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'e'));
    MP_CHECK(mp__object_end(header, &post->reference, NULL) == MP_OK);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'd'));
    return 0;
}

MP_CASE(an_object_goes_with_its_owner)
{
    mp__block_t block;
    mp_test_kin_t maker;
    mp__header_t *header;
    post_t *post = make_post(&block);
    uint64_t before = mp__blocks_in_use();
    mp_test_kin_start(&maker, "makes", block, NULL);
    CU_ASSERT(mp_test_hear(maker.child.talk, 'm'));
    REQUIRE_OK(mp__object_open(&post->reference, KIND, &header));
    CU_ASSERT_FALSE(is_mine(header));
    CU_ASSERT_FALSE(mp__object_owner_died(header, &post->reference));
    mp_test_kin_kill(&maker);
    CU_ASSERT(mp__object_owner_died(header, &post->reference)); /* which sweeps */
    EXPECT_STATUS(open_it(&post->reference), MP_GONE);
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    CU_ASSERT(mp__object_owner_died(header, &post->reference));
    mp__block_free(block);
}

/* ---- locks in headers ---- */

MP_PROGRAM(enters)
{
    post_t *post = mp_test_kin_accept();
    mp__header_t *header;
    MP_CHECK(mp__object_open(&post->reference, KIND, &header) == MP_OK);
    mp_status_t status = mp__object_lock(header, &header->lock, &post->reference, mp_test_deadline(20));
    MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
    MP_CHECK(mp_test_tell(mp_test_talk(), 'i'));
    MP_CHECK(mp_test_hear(mp_test_talk(), 'o'));
    mp__word_unlock(&header->lock);
    return 0;
}

static void free_content(mp__header_t *header)
{
    mp__release_content((uint32_t)(mp__offset_of(header) / MP__UNIT));
}

MP_CASE(a_death_inside_marks_it_damaged_and_its_end_frees_all)
{
    mp__block_t block;
    mp_test_kin_t kin;
    post_t *post = make_post(&block);
    uint64_t before = mp__blocks_in_use();
    mp__header_t *header = make_object(post);
    mp_test_kin_start(&kin, "enters", block, NULL);
    CU_ASSERT(mp_test_hear(kin.child.talk, 'i'));
    EXPECT_STATUS(mp__object_lock(header, &header->lock, &post->reference, 0), MP_TIMEOUT);
    mp_test_kin_kill(&kin);
    EXPECT_STATUS(mp__object_lock(header, &header->lock, &post->reference, MP__NEVER), MP_OWNER_DIED);
    CU_ASSERT(header->damaged);
    mp__word_unlock(&header->lock);
    EXPECT_OK(mp__object_lock(header, &header->lock, &post->reference, 0));
    mp__word_unlock(&header->lock);
    mp_test_kin_sweep(&kin);
    /* No release is given: being damaged, all that names it is searched. */
    EXPECT_OK(mp__object_end(header, &post->reference, NULL));
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    mp__block_free(block);
}

MP_CASE(the_end_frees_the_content)
{
    mp__block_t block;
    post_t *post = make_post(&block);
    uint64_t before = mp__blocks_in_use();
    for (int i = 0; i < 100; i++) {
        mp__header_t *header = make_object(post);
        CU_ASSERT_EQUAL(mp__blocks_in_use(), before + 4);
        EXPECT_OK(mp__object_end(header, &post->reference, free_content));
        CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    }
    mp__block_free(block);
}

/* Whoever is stopped in the middle of an object that ends delays its memory, but nobody. */
MP_CASE(one_that_is_stopped_inside_delays_only_the_memory)
{
    mp__block_t block;
    mp_test_kin_t maker, inside;
    post_t *post = make_post(&block);
    uint64_t before = mp__blocks_in_use();
    mp_test_kin_start(&maker, "makes", block, NULL);
    CU_ASSERT(mp_test_hear(maker.child.talk, 'm'));
    mp_test_kin_start(&inside, "enters", block, NULL);
    CU_ASSERT(mp_test_hear(inside.child.talk, 'i'));
    CU_ASSERT(mp_test_tell(maker.child.talk, 'e'));
    CU_ASSERT(mp_test_hear(maker.child.talk, 'd'));
    EXPECT_STATUS(open_it(&post->reference), MP_GONE);
    CU_ASSERT_EQUAL(mp_test_kin_join(&maker).code, 0); /* swept, as far as it goes */
    CU_ASSERT(mp__blocks_in_use() > before);
    CU_ASSERT(mp_test_tell(inside.child.talk, 'o'));
    CU_ASSERT_EQUAL(mp_test_kin_join(&inside).code, 0);
    mp__sweep_the_dead();
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before);
    mp__block_free(block);
}

/* ---- the end while others use it ---- */

/* Enters whatever object stands in the post, until it is killed; the content must be whole. */
MP_PROGRAM(uses)
{
    post_t *post = mp_test_kin_accept();
    MP_CHECK(mp_test_tell(mp_test_talk(), 'u'));
    while (mp_test_kin_wanted())
        for (int i = 0; i < 500; i++) {
            mp__reference_t reference = post->reference; /* perhaps torn, perhaps stale */
            mp__header_t *header;
            if (mp__object_open(&reference, KIND, &header) != MP_OK)
                continue;
            mp_status_t status = mp__object_lock(header, &header->lock, &reference, mp_test_deadline(20));
            if (status == MP_GONE)
                continue;
            MP_CHECK(status == MP_OK || status == MP_OWNER_DIED);
            MP_CHECK(header->body[0] == header->body[1] || status == MP_OWNER_DIED);
            header->body[1] = header->body[0] + 1;
            header->body[0]++;
            mp__word_unlock(&header->lock);
        }
    return 0;
}

/* Ends it. True: somebody was in it for too long (on a very busy machine): its memory waits for this process's end. */
static bool end_lately(mp__header_t *header, const mp__reference_t *reference)
{
    uint32_t generation;
    EXPECT_OK(mp__object_end(header, reference, free_content));
    return mp__header_live(reference->place, &generation) && generation == reference->generation;
}

MP_CASE(objects_end_while_others_use_them_and_are_killed)
{
    mp__block_t block;
    mp_test_kin_t users[2];
    uint64_t random = 4, late = 0;
    post_t *post = make_post(&block);
    uint64_t before = mp__blocks_in_use();
    for (int i = 0; i < 2; i++) {
        mp_test_kin_start(&users[i], "uses", block, NULL);
        CU_ASSERT(mp_test_hear(users[i].child.talk, 'u'));
    }
    int kills = 0;
    for (mp__deadline_t enough = mp_test_deadline(3); kills < 10 || (kills < 100 && mp__os_now() < enough); kills++) {
        mp_test_kin_t *victim = &users[kills % 2];
        for (int i = 0; i < 10; i++) {
            mp__header_t *header = make_object(post);
            mp_test_jitter(&random, 100);
            if (i == 5)
                mp_test_kin_kill(victim);
            late += end_lately(header, &post->reference);
        }
        mp_test_kin_sweep(victim);
        mp_test_kin_start(victim, "uses", block, NULL);
        CU_ASSERT(mp_test_hear(victim->child.talk, 'u'));
    }
    for (int i = 0; i < 2; i++) {
        mp_test_kin_kill(&users[i]);
        mp_test_kin_sweep(&users[i]);
    }
    CU_ASSERT_EQUAL(mp__blocks_in_use(), before + 4 * late);
    mp__block_free(block);
    if (late)
        mp_test_baseline();
}

MP_CASES(MP_ROW(a_reference_leads_to_its_object), MP_ROW(another_familys_is_foreign),
         MP_ROW(after_the_end_it_is_gone_also_when_the_place_is_used_again), MP_ROW(another_kind_is_malformed),
         MP_ROW(a_damaged_header_is_corrupt), MP_ROW(garbage_never_opens), MP_ROW(an_object_goes_with_its_owner),
         MP_ROW(a_death_inside_marks_it_damaged_and_its_end_frees_all), MP_ROW(the_end_frees_the_content),
         MP_ROW(one_that_is_stopped_inside_delays_only_the_memory),
         MP_ROW(objects_end_while_others_use_them_and_are_killed), MP_SUB(makes), MP_SUB(enters), MP_SUB(uses));
