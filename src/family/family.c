/* How a process becomes a member: the root makes the arena, others map it; regions get memory and become touchable as
 * they grow. */
#include "family/family.h"

#include "core/local.h"
#include "core/once.h"

#include <apr_general.h>
#include <string.h>

#define ARENA_LEAST ((uint64_t)64 << 20)
#define ARENA_MOST  ((uint64_t)64 << 30) /* what a block's owner can name */
#define HEAD_SIZE   ((size_t)65536)
#define GUARD       ((size_t)65536)
#define COMMIT_STEP ((uint64_t)65536)

mp__family_t mp__family;

static mp__once_t joined;
static uint64_t wanted_size;
static uint64_t wanted_cap;

mp_status_t mp__family_configure(uint64_t arena_size, uint64_t memory_cap)
{
    if (mp__family_joined())
        return mp__error(MP_STATE, "configure the family", "its arena exists already");
    wanted_size = arena_size;
    wanted_cap = memory_cap;
    return MP_OK;
}

static size_t round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

/* Where each region lies in an arena of this size; the number of payload pages. */
static uint32_t lay_out(size_t size, size_t offsets[MP__REGIONS], size_t sizes[MP__REGIONS])
{
    size_t per_page = sizeof(uint64_t) + MP__BLOCKS_PER_PAGE * sizeof(uint64_t) + MP__PAGE_SIZE;
    size_t fixed = HEAD_SIZE + MP__MAX_PROCESSES * sizeof(mp__process_slot_t) +
                   MP__MAX_THREADS * sizeof(mp__thread_slot_t) + sizeof(mp__parking_t) +
                   MP__REGIONS * (GUARD + MP__PAGE_SIZE);
    size_t pages = (size - fixed) / per_page;
    sizes[MP__REGION_HEAD] = HEAD_SIZE;
    sizes[MP__REGION_PROCESSES] = MP__MAX_PROCESSES * sizeof(mp__process_slot_t);
    sizes[MP__REGION_THREADS] = MP__MAX_THREADS * sizeof(mp__thread_slot_t);
    sizes[MP__REGION_PARKING] = sizeof(mp__parking_t);
    sizes[MP__REGION_PAGES] = pages * sizeof(uint64_t);
    sizes[MP__REGION_STATES] = pages * MP__BLOCKS_PER_PAGE * sizeof(uint64_t);
    sizes[MP__REGION_PAYLOAD] = pages * MP__PAGE_SIZE;
    size_t at = 0;
    for (int i = 0; i < MP__REGIONS; i++) {
        sizes[i] = round_up(sizes[i], MP__PAGE_SIZE);
        offsets[i] = at;
        at += sizes[i] + GUARD;
    }
    return (uint32_t)pages;
}

static void adopt_layout(const mp__os_arena_t *arena)
{
    mp__family_t *f = &mp__family;
    lay_out(arena->size, f->offsets, f->sizes);
    f->arena = *arena;
    f->base = arena->base;
    f->head = (mp__head_t *)(void *)f->base;
    f->processes = (mp__process_slot_t *)(void *)(f->base + f->offsets[MP__REGION_PROCESSES]);
    f->threads = (mp__thread_slot_t *)(void *)(f->base + f->offsets[MP__REGION_THREADS]);
    f->parking = (mp__parking_t *)(void *)(f->base + f->offsets[MP__REGION_PARKING]);
    f->pages = (uint64_t *)(void *)(f->base + f->offsets[MP__REGION_PAGES]);
    f->states = (uint64_t *)(void *)(f->base + f->offsets[MP__REGION_STATES]);
    memset(f->exposed, 0, sizeof f->exposed);
    f->opened = 0;
}

/* The tables and the beginning of the page map at once, because each call splits the mapping, which takes longer than
 * all of a process' first touches. What has no memory yet is touched by nobody. */
static mp_status_t open_tables(void)
{
    mp__family_t *f = &mp__family;
    size_t end = f->offsets[MP__REGION_PAGES] + COMMIT_STEP;
    mp_status_t status = mp__os_arena_expose(&f->arena, 0, end);
    if (status == MP_OK)
        f->opened = end;
    return status == MP_OK ? mp__region_expose(MP__REGION_HEAD, HEAD_SIZE) : status;
}

mp_status_t mp__region_expose(mp__region_t region, uint64_t bytes)
{
    mp__family_t *f = &mp__family;
    if (bytes > f->sizes[region])
        return mp__error(MP_CORRUPT, "touch the arena", "place %llu is outside of region %d", (unsigned long long)bytes,
                         (int)region);
    uint64_t from = mp__load64(&f->exposed[region]);
    uint64_t mark = region == MP__REGION_HEAD ? HEAD_SIZE : mp__load64(&f->head->committed[region]);
    if (bytes > mark)
        return mp__error(MP_CORRUPT, "touch the arena", "place %llu of region %d has no memory",
                         (unsigned long long)bytes, (int)region);
    if (mark <= from)
        return MP_OK;
    mp_status_t status = MP_OK;
    if (f->offsets[region] + mark > f->opened)
        status = mp__os_arena_expose(&f->arena, f->offsets[region] + from, (size_t)(mark - from));
    if (status != MP_OK)
        return status;
    while (from < mark && !mp__cas64(&f->exposed[region], &from, mark))
        ;
    return MP_OK;
}

mp_status_t mp__region_commit(mp__region_t region, uint64_t bytes)
{
    mp__family_t *f = &mp__family;
    uint64_t mark = mp__load64(&f->head->committed[region]);
    if (bytes > f->sizes[region])
        return mp__error(MP_NO_MEMORY, "grow the arena", "its address space is used up");
    if (bytes > mark) {
        uint64_t upto = (bytes + COMMIT_STEP - 1) / COMMIT_STEP * COMMIT_STEP;
        mp_status_t status = mp__os_arena_commit(&f->arena, f->offsets[region] + mark, (size_t)(upto - mark));
        if (status != MP_OK)
            return status;
        /* Two who grow at once commit the same pages; the mark only rises. */
        while (mark < upto && !mp__cas64(&f->head->committed[region], &mark, upto))
            ;
    }
    return mp__region_expose(region, bytes);
}

/* The default size: large enough never to matter, small enough for the address space. */
static uint64_t choose_size(void)
{
    if (wanted_size)
        return wanted_size < ARENA_LEAST ? ARENA_LEAST : wanted_size > ARENA_MOST ? ARENA_MOST : wanted_size;
    uint64_t most = sizeof(void *) < 8 ? (uint64_t)256 << 20 : mp__os_caps()->discard ? ARENA_MOST : (uint64_t)4 << 30;
    uint64_t size = mp__os_memory_size() * 4;
    if (size < (uint64_t)1 << 30)
        size = (uint64_t)1 << 30;
    if (size > most)
        size = most;
    uint64_t left = mp__os_address_space_left() / 4;
    return size < left ? size : left;
}

static mp_status_t create_arena(mp__os_arena_t *arena)
{
    uint64_t size = choose_size() / MP__PAGE_SIZE * MP__PAGE_SIZE;
    for (;; size = size / 2 / MP__PAGE_SIZE * MP__PAGE_SIZE) {
        if (size < ARENA_LEAST)
            return mp__error(
                MP_NO_MEMORY, "create the arena",
                "not even 64 MiB of address space could be mapped (limits of address space or file size?)");
        mp_status_t status = mp__os_arena_create((size_t)size, arena);
        if (status != MP_NO_MEMORY)
            return status;
    }
}

static mp_status_t init_head(const mp__os_arena_t *arena)
{
    mp__family_t *f = &mp__family;
    adopt_layout(arena);
    mp_status_t status = mp__os_arena_commit(arena, 0, HEAD_SIZE);
    if (status != MP_OK)
        return status;
    status = open_tables();
    if (status != MP_OK)
        return status;
    mp__head_t *head = f->head;
    size_t offsets[MP__REGIONS], sizes[MP__REGIONS];
    head->magic = MP__ARENA_MAGIC;
    head->version = MP__ARENA_VERSION;
    head->page_count = lay_out(arena->size, offsets, sizes);
    head->size = arena->size;
    head->cap = wanted_cap ? wanted_cap : mp__os_memory_size() / 2;
    head->root_pid = (uint32_t)mp__os_pid();
    if (apr_generate_random_bytes((unsigned char *)head->family, 6) != APR_SUCCESS)
        return mp__error(MP_SYSTEM, "name the family", "no random bytes");
    status = mp__region_commit(MP__REGION_PROCESSES, COMMIT_STEP);
    if (status == MP_OK)
        status = mp__region_commit(MP__REGION_THREADS, COMMIT_STEP);
    if (status == MP_OK && !mp__os_caps()->shared_wait)
        status = mp__region_commit(MP__REGION_PARKING, sizeof(mp__parking_t));
    if (status == MP_OK)
        status = mp__process_claim();
    return status;
}

static mp_status_t found_family(void)
{
    mp__os_arena_t arena;
    mp_status_t status = create_arena(&arena);
    if (status != MP_OK)
        return status;
    status = init_head(&arena);
    if (status != MP_OK) {
        mp__os_arena_close(&arena);
        mp__family.base = NULL;
    }
    return status;
}

/* The mapping of a foreign fork's child is its parent's: it stays in the family, as a process of its own. */
static mp_status_t become_member(void)
{
    mp_status_t status = mp__local_init();
    if (status == MP_OK)
        status = mp__os_on_fork(mp__family_forget);
    if (status != MP_OK)
        return status;
    return mp__family.base ? mp__process_claim() : found_family();
}

mp_status_t mp__family_join(void)
{
    if (MP__UNLIKELY(!mp__family_joined())) {
        mp_status_t status = mp__once(&joined, become_member);
        if (status != MP_OK)
            return status;
    }
    return MP__LIKELY(mp__self != 0) ? MP_OK : mp__self_claim();
}

bool mp__family_joined(void)
{
    return mp__load32(&joined) == MP__MADE;
}

void mp__family_forget(void)
{
    mp__self = 0;
    mp__store32(&joined, 0);
}

static mp_status_t check_head(const mp__invitation_t *invitation)
{
    const mp__head_t *head = mp__family.head;
    if (head->magic != MP__ARENA_MAGIC || head->size != invitation->size ||
        memcmp(head->family, invitation->family, sizeof head->family) != 0)
        return mp__error(MP_INVALID, "join the family", "this is not its arena");
    if (head->version != MP__ARENA_VERSION)
        return mp__error(MP_MISMATCH, "join the family", "the arena's version is %u, this library's is %u",
                         head->version, MP__ARENA_VERSION);
    return MP_OK;
}

mp_status_t mp__family_accept_forked(const mp__invitation_t *invitation)
{
    mp_status_t status = mp__process_accept(invitation->slot, invitation->epoch, invitation->nonce);
    if (status != MP_OK)
        return status;
    mp__store32(&joined, MP__MADE);
    return mp__self_claim();
}

mp_status_t mp__family_accept(const mp__invitation_t *invitation)
{
    mp__os_arena_t arena;
    if (invitation->size < ARENA_LEAST || invitation->size > ARENA_MOST)
        return mp__error(MP_INVALID, "join the family", "no arena has that size");
    mp_status_t status = mp__os_arena_open(invitation->memory, invitation->life, (size_t)invitation->size, &arena);
    if (status != MP_OK)
        return status;
    adopt_layout(&arena);
    status = open_tables();
    if (status == MP_OK)
        status = check_head(invitation);
    if (status == MP_OK && !mp__os_caps()->shared_wait)
        status = mp__region_expose(MP__REGION_PARKING, sizeof(mp__parking_t));
    if (status == MP_OK)
        status = mp__os_on_fork(mp__family_forget);
    if (status == MP_OK)
        status = mp__family_accept_forked(invitation);
    return status;
}
