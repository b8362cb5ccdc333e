/*
 * The arena's allocator. The payload is cut into pages of 64 KiB; the page map has one word a page, the state map one
 * word a block. Blocks up to 32 KiB come from pages of one size class, larger ones are runs of pages. Lock order:
 * object, class, page map.
 */
#include "family/alloc.h"
#include "family/attach.h"
#include "family/object.h"

#include <string.h>

/* ---- the page map's words: {generation floor, length of the run, flags, kind} */

#define KIND_FREE    0u
#define KIND_CLASS   1u /* .. KIND_CLASS + MP__CLASSES - 1 */
#define KIND_RUN     32u
#define KIND_SPENT   33u /* its generations are used up: never used again */
#define KIND(word)   ((uint32_t)(word)&0xffu)
#define COMMITTED    UINT64_C(0x100) /* the page has memory */
#define STATES_LOW   UINT64_C(0x200) /* so has the first half of its state words */
#define STATES_HIGH  UINT64_C(0x400) /* and the second */
#define FLAGS        (COMMITTED | STATES_LOW | STATES_HIGH)
#define LENGTH(word) ((uint32_t)(word) >> 11)

/* ---- the state words: {generation, state and owner} */

#define LIVE            UINT32_C(0x40000000)
#define ENDING          UINT32_C(0x80000000) /* of a header: its owner is at its end */
#define LENT            MP__OWNER_LENT
#define LINGERING       UINT32_C(0x0fffffff) /* as owner of a lent block: it was freed, and somebody is attached */
#define OWNER(state)    (mp__low(state) & UINT32_C(0x1fffffff))
#define IS_LIVE(state)  ((mp__low(state) & LIVE) != 0)
#define GENERATION_LAST UINT32_C(0xfffffff0) /* a block that has come so far is not used again */

#define HEADERS     (MP__CLASSES - 1)
#define LARGEST     ((uint64_t)32768)
#define AHEAD_PAGES 4u

/* Who frees waits no longer than this for a cache: its holder may be stopped. The free block is found by the next
 * rebuild then. */
#define MOMENT (20 * MP__MILLISECOND)

uint64_t mp__keep_pages = 1024;

static uint64_t class_size(uint32_t class)
{
    return class == HEADERS ? sizeof(mp__header_t) : MP__UNIT << class;
}

static uint32_t class_of(uint64_t size)
{
    uint32_t class = 0;
    while (class_size(class) < size)
        class ++;
    return class;
}

/* Where a free block keeps the next one's offset: not in a header's locks, which stragglers may still take. */
static uint64_t *link_of(uint32_t class, uint64_t offset)
{
    return (uint64_t *)(void *)(mp__family.base + offset + (class == HEADERS ? offsetof(mp__header_t, link) : 0));
}

static uint64_t page_offset(uint64_t page)
{
    return mp__family.offsets[MP__REGION_PAYLOAD] + page * MP__PAGE_SIZE;
}

static uint64_t *state_of(uint64_t page, uint64_t index)
{
    return &mp__family.states[page * MP__BLOCKS_PER_PAGE + index];
}

/* Makes a used page and its words touchable. */
static bool page_touchable(uint64_t page)
{
    return mp__region_touchable(MP__REGION_PAGES, (page + 1) * sizeof(uint64_t)) &&
           mp__region_touchable(MP__REGION_STATES, (page + 1) * MP__BLOCKS_PER_PAGE * sizeof(uint64_t)) &&
           mp__region_touchable(MP__REGION_PAYLOAD, (page + 1) * MP__PAGE_SIZE);
}

static uint64_t blocks_in(uint64_t word)
{
    uint32_t kind = KIND(word);
    if (kind >= KIND_CLASS && kind < KIND_CLASS + MP__CLASSES)
        return MP__PAGE_SIZE / class_size(kind - KIND_CLASS);
    return kind == KIND_RUN ? 1 : 0;
}

static uint64_t pages_in(uint64_t word)
{
    return KIND(word) == KIND_RUN && LENGTH(word) ? LENGTH(word) : 1;
}

/* Pages that were ever used, and their words touchable. */
static uint64_t used_pages(void)
{
    uint64_t mark = mp__load64(&mp__family.head->page_mark);
    if (mark > mp__family.head->page_count || (mark && !page_touchable(mark - 1)))
        return 0;
    return mark;
}

/* ---- pages, under the page lock */

/* How many of n pages have memory. */
static uint64_t committed_pages(uint64_t page, uint64_t n)
{
    uint64_t count = 0;
    for (uint64_t i = page; i < page + n; i++)
        count += (mp__load64(&mp__family.pages[i]) & COMMITTED) != 0;
    return count;
}

/* How many pages have memory already, though they were never used. */
static uint64_t committed_ahead(uint64_t mark)
{
    uint64_t i = mark;
    while (i < mp__family.head->page_count && mp__region_touchable(MP__REGION_PAGES, (i + 1) * sizeof(uint64_t)) &&
           (mp__load64(&mp__family.pages[i]) & COMMITTED))
        i++;
    return i - mark;
}

/* The caches of the page map, made anew from its words. */
static void rebuild_pages(void)
{
    mp__head_t *head = mp__family.head;
    uint64_t mark = used_pages();
    uint64_t kept = committed_ahead(mark), committed = kept + committed_pages(0, mark);
    for (uint64_t i = 0; i < mark; i += pages_in(mp__load64(&mp__family.pages[i])))
        kept += KIND(mp__load64(&mp__family.pages[i])) == KIND_FREE && (mp__load64(&mp__family.pages[i]) & COMMITTED);
    head->pages_committed = committed;
    head->pages_kept = kept;
    head->page_hint = 0;
}

static mp_status_t lock_pages(mp__deadline_t deadline)
{
    mp_status_t status = mp__word_lock(&mp__family.head->page_lock, deadline);
    if (status == MP_OWNER_DIED) {
        rebuild_pages();
        status = MP_OK;
    }
    return status;
}

static void unlock_pages(void)
{
    mp__word_unlock(&mp__family.head->page_lock);
}

/* The highest generation that a page's blocks have reached. */
static uint32_t generation_floor(uint64_t page, uint64_t word)
{
    uint32_t top = mp__high(word);
    for (uint64_t i = 0; i < blocks_in(word); i++) {
        uint32_t generation = mp__high(mp__load64(state_of(page, i)));
        if (generation > top)
            top = generation;
    }
    return top;
}

static void lower(uint64_t *count, uint64_t by)
{
    *count -= by < *count ? by : *count;
}

/* Gives a run whose block is free back to the map; it loses its memory first when enough is kept. Done again after a
 * death in it. */
static void dissolve_run(uint64_t page, uint64_t word)
{
    mp__head_t *head = mp__family.head;
    uint64_t pages = pages_in(word), committed = committed_pages(page, pages);
    uint64_t *map = mp__family.pages;
    uint32_t generation = generation_floor(page, word);
    bool spent = generation >= GENERATION_LAST;
    if (head->pages_kept + committed > mp__keep_pages && mp__os_caps()->discard) {
        for (uint64_t i = page; i < page + pages; i++)
            mp__store64(&map[i], mp__load64(&map[i]) & ~COMMITTED);
        mp__os_arena_discard(&mp__family.arena, page_offset(page), (size_t)(pages * MP__PAGE_SIZE));
        lower(&head->pages_committed, committed);
    } else {
        head->pages_kept += committed;
        lower(&head->pages_kept, spent);
    }
    uint64_t flags = mp__load64(&map[page]) & FLAGS;
    mp__store64(&map[page], mp__pair(generation, (uint32_t)(flags | (spent ? KIND_SPENT : KIND_FREE))));
    if (page < head->page_hint)
        head->page_hint = page;
}

/* First fit for n pages below the mark; where there is none, the mark less the free pages just before it. */
static uint64_t find_pages(uint64_t n)
{
    mp__head_t *head = mp__family.head;
    if (mp__load32(&head->pages_stale) && mp__swap32(&head->pages_stale, 0))
        head->page_hint = 0;
    uint64_t mark = used_pages(), run = 0;
    bool full = true; /* so far no page was free: the hint may follow */
    for (uint64_t i = head->page_hint; i < mark;) {
        uint64_t word = mp__load64(&mp__family.pages[i]);
        if (KIND(word) == KIND_RUN && !IS_LIVE(mp__load64(state_of(i, 0)))) {
            dissolve_run(i, word); /* whoever freed it died before this */
            continue;
        }
        if (KIND(word) == KIND_FREE) {
            full = false;
            if (++run == n)
                return i + 1 - n;
            i++;
        } else {
            run = 0;
            i += pages_in(word);
            if (full)
                head->page_hint = i;
        }
    }
    return mark - run;
}

static mp_status_t no_memory(void)
{
    return mp__error(MP_NO_MEMORY, "allocate in the arena",
                     "the cap of %llu MiB of shared memory is reached (option memory_cap)",
                     (unsigned long long)(mp__family.head->cap >> 20));
}

/* Puts memory behind pages [at, at + n) and raises the mark over them. */
static mp_status_t commit_pages(uint64_t at, uint64_t n)
{
    mp__family_t *f = &mp__family;
    if (at + n > f->head->page_count)
        return mp__error(MP_NO_MEMORY, "allocate in the arena",
                         "its address space of %llu MiB is used up (option arena_size)",
                         (unsigned long long)(f->head->size >> 20));
    mp_status_t status = mp__region_commit(MP__REGION_PAGES, (at + n) * sizeof(uint64_t));
    uint64_t missing = 0;
    for (uint64_t i = at; status == MP_OK && i < at + n; i++)
        missing += !(mp__load64(&f->pages[i]) & COMMITTED);
    if (status == MP_OK)
        lower(&f->head->pages_kept, n - missing);
    if (status != MP_OK || !missing)
        return status;
    if ((f->head->pages_committed + missing) * MP__PAGE_SIZE > f->head->cap)
        return no_memory();
    status = mp__os_arena_commit(&f->arena, page_offset(at), (size_t)(n * MP__PAGE_SIZE));
    if (status != MP_OK)
        return status;
    /* The mark first: pages that say they have memory are not asked about it again. */
    uint64_t bytes = (at + n) * MP__PAGE_SIZE;
    if (mp__load64(&f->head->committed[MP__REGION_PAYLOAD]) < bytes)
        mp__store64(&f->head->committed[MP__REGION_PAYLOAD], bytes);
    for (uint64_t i = at; i < at + n; i++)
        mp__store64(&f->pages[i], mp__load64(&f->pages[i]) | COMMITTED);
    f->head->pages_committed += missing;
    return MP_OK;
}

/* Puts memory behind the first `count` state words of the first of n pages. The map is touchable over all of them;
 * nobody looks at words that the page map does not name. */
static mp_status_t commit_states(uint64_t page, uint64_t n, uint64_t count)
{
    mp__family_t *f = &mp__family;
    uint64_t word = mp__load64(&f->pages[page]);
    uint64_t half = MP__BLOCKS_PER_PAGE / 2 * sizeof(uint64_t);
    uint64_t offset = f->offsets[MP__REGION_STATES] + page * 2 * half;
    uint64_t need = STATES_LOW | (count > MP__BLOCKS_PER_PAGE / 2 ? STATES_HIGH : 0);
    if ((word & need) != need) {
        mp_status_t status =
            mp__os_arena_commit(&f->arena, (size_t)offset, (size_t)(need & STATES_HIGH ? 2 * half : half));
        if (status != MP_OK)
            return status;
        mp__store64(&f->pages[page], word | need);
    }
    uint64_t bytes = (page + n) * 2 * half;
    if (mp__load64(&f->head->committed[MP__REGION_STATES]) < bytes)
        mp__store64(&f->head->committed[MP__REGION_STATES], bytes);
    return page_touchable(page + n - 1) ? MP_OK : MP_NO_MEMORY;
}

/* Takes n pages with memory, and words for `blocks` states on the first. They stay FREE in the map until their word is
 * stored. */
static mp_status_t take_pages(uint64_t n, uint64_t blocks, uint64_t *page)
{
    mp__head_t *head = mp__family.head;
    uint64_t at = find_pages(n);
    uint64_t ahead = n < AHEAD_PAGES && at >= head->page_mark ? AHEAD_PAGES - n : 0;
    mp_status_t status = ahead ? commit_pages(at, n + ahead) : MP_NO_MEMORY;
    if (status == MP_OK)
        head->pages_kept += ahead;
    else
        status = commit_pages(at, n);
    if (status == MP_OK)
        status = commit_states(at, n, blocks);
    if (status != MP_OK)
        return status;
    if (at + n > head->page_mark)
        mp__store64(&head->page_mark, at + n);
    *page = at;
    return MP_OK;
}

/* ---- runs of pages */

static mp_status_t alloc_run(uint64_t size, mp__owner_t owner, mp__deadline_t deadline, mp__block_t *block)
{
    uint64_t n = (size + MP__PAGE_SIZE - 1) / MP__PAGE_SIZE;
    mp_status_t status = lock_pages(deadline);
    if (status != MP_OK)
        return status;
    uint64_t page;
    status = n > mp__family.head->page_count ? no_memory() : take_pages(n, 1, &page);
    if (status == MP_OK) {
        uint64_t word = mp__load64(&mp__family.pages[page]);
        uint32_t generation = mp__high(word) + 1;
        /* The state first: a run whose block is not live is dissolved by whoever finds it. */
        mp__store64(state_of(page, 0), mp__pair(generation, LIVE | owner));
        mp__store64(&mp__family.pages[page], mp__pair(mp__high(word), (uint32_t)((word & FLAGS) | n << 11 | KIND_RUN)));
        *block = mp__pair(generation, (uint32_t)(page_offset(page) / MP__UNIT));
    }
    unlock_pages();
    return status;
}

/* ---- classes, under their locks */

static mp__class_t *class_lock_of(uint32_t class)
{
    return &mp__family.head->classes[class];
}

/* The free list, made anew from the truth. */
static void rebuild_class(uint32_t class)
{
    mp__class_t *cache = class_lock_of(class);
    mp__swap32(&cache->stale, 0);
    uint64_t mark = used_pages(), free = 0, used = 0;
    for (uint64_t page = 0; page < mark; page += pages_in(mp__load64(&mp__family.pages[page]))) {
        uint64_t word = mp__load64(&mp__family.pages[page]);
        if (KIND(word) != KIND_CLASS + class)
            continue;
        for (uint64_t i = blocks_in(word); i-- > 0;) {
            uint64_t state = mp__load64(state_of(page, i));
            if (IS_LIVE(state)) {
                used++;
            } else if (mp__high(state) < GENERATION_LAST) {
                uint64_t offset = page_offset(page) + i * class_size(class);
                *link_of(class, offset) = free;
                free = offset;
            }
        }
    }
    cache->free = free;
    cache->used = used;
}

static mp_status_t lock_class(uint32_t class, mp__deadline_t deadline)
{
    mp_status_t status = mp__word_lock(&class_lock_of(class)->lock, deadline);
    if (status == MP_OWNER_DIED) {
        rebuild_class(class);
        status = MP_OK;
    }
    return status;
}

/* Cuts a page into blocks of the class and lists them. */
static mp_status_t carve_page(uint32_t class, mp__deadline_t deadline)
{
    uint64_t blocks = MP__PAGE_SIZE / class_size(class), page;
    mp_status_t status = lock_pages(deadline);
    if (status != MP_OK)
        return status;
    status = take_pages(1, blocks, &page);
    if (status == MP_OK) {
        uint64_t word = mp__load64(&mp__family.pages[page]);
        for (uint64_t i = 0; i < blocks; i++)
            mp__store64(state_of(page, i), mp__pair(mp__high(word) + 1, 0));
        if (class == HEADERS)
            memset(mp__family.base + page_offset(page), 0, MP__PAGE_SIZE);
        mp__store64(&mp__family.pages[page],
                    mp__pair(mp__high(word), (uint32_t)((word & FLAGS) | (KIND_CLASS + class))));
    }
    unlock_pages();
    if (status != MP_OK)
        return status;
    for (uint64_t i = blocks; i-- > 0;) {
        uint64_t offset = page_offset(page) + i * class_size(class);
        *link_of(class, offset) = class_lock_of(class)->free;
        class_lock_of(class)->free = offset;
    }
    return MP_OK;
}

typedef struct found {
    uint64_t *state;
    uint64_t size;
    uint32_t class; /* MP__CLASSES for a run */
} found_t;

/* The block that begins at this place, whatever its state. */
static bool find_block(uint64_t offset, found_t *found)
{
    uint64_t first = mp__family.offsets[MP__REGION_PAYLOAD];
    if (offset < first || offset % MP__UNIT != 0)
        return false;
    uint64_t page = (offset - first) / MP__PAGE_SIZE, within = (offset - first) % MP__PAGE_SIZE;
    if (page >= mp__load64(&mp__family.head->page_mark) || !page_touchable(page))
        return false;
    uint64_t word = mp__load64(&mp__family.pages[page]);
    uint64_t blocks = blocks_in(word);
    if (blocks == 0)
        return false;
    bool run = KIND(word) == KIND_RUN;
    found->class = run ? MP__CLASSES : KIND(word) - KIND_CLASS;
    found->size = run ? LENGTH(word) * MP__PAGE_SIZE : class_size(found->class);
    uint32_t index = run ? 0 : (uint32_t)within / (uint32_t)found->size; /* in 32 bits, where division is faster */
    if (within != index * found->size)
        return false;
    if (run && page + LENGTH(word) > mp__load64(&mp__family.head->page_mark))
        return false;
    found->state = state_of(page, index);
    return true;
}

/* Takes the first of the free list, checking it; false: the list is empty, or its content cannot be believed. */
static bool pop_free(uint32_t class, mp__owner_t owner, mp__block_t *block)
{
    mp__class_t *cache = class_lock_of(class);
    uint64_t offset = cache->free;
    found_t found;
    if (!offset || !find_block(offset, &found) || found.class != class)
        return false;
    uint64_t state = mp__load64(found.state);
    if (IS_LIVE(state))
        return false;
    cache->free = *link_of(class, offset);
    cache->used++;
    mp__store64(found.state, mp__pair(mp__high(state), LIVE | owner));
    *block = mp__pair(mp__high(state), (uint32_t)(offset / MP__UNIT));
    return true;
}

static mp_status_t alloc_small(uint32_t class, mp__owner_t owner, mp__deadline_t deadline, mp__block_t *block)
{
    mp_status_t status = lock_class(class, deadline);
    if (status != MP_OK)
        return status;
    if (!pop_free(class, owner, block)) {
        const mp__class_t *cache = class_lock_of(class);
        if (cache->free || mp__load32(&cache->stale))
            rebuild_class(class); /* a member scribbled over a free block, or freed one without the lock */
        if (!cache->free)
            status = carve_page(class, deadline);
        if (status == MP_OK && !pop_free(class, owner, block))
            status = mp__error(MP_CORRUPT, "allocate in the arena", "the free list does not hold");
    }
    mp__word_unlock(&class_lock_of(class)->lock);
    return status;
}

static void note_owner(mp__owner_t owner)
{
    if (owner < MP__MAX_PROCESSES && !mp__family.processes[owner].owns)
        mp__store32(&mp__family.processes[owner].owns, 1);
}

mp_status_t mp__block_alloc_until(uint64_t size, mp__owner_t owner, mp__deadline_t deadline, mp__block_t *block)
{
    note_owner(owner);
    if (size > MP__BLOCK_MOST)
        return no_memory();
    return size > LARGEST ? alloc_run(size, owner, deadline, block)
                          : alloc_small(class_of(size), owner, deadline, block);
}

mp_status_t mp__block_alloc(uint64_t size, mp__owner_t owner, mp__block_t *block)
{
    return mp__block_alloc_until(size, owner, MP__NEVER, block);
}

mp_status_t mp__header_alloc(mp__owner_t owner, mp__block_t *block)
{
    note_owner(owner);
    return alloc_small(HEADERS, owner, MP__NEVER, block);
}

void *mp__block_at(mp__block_t block, uint64_t *size)
{
    uint64_t offset = (uint64_t)mp__low(block) * MP__UNIT;
    found_t found;
    if (!find_block(offset, &found))
        return NULL;
    uint64_t state = mp__load64(found.state);
    if (mp__high(state) != mp__high(block) || !IS_LIVE(state))
        return NULL;
    if (found.class == MP__CLASSES &&
        !page_touchable((offset - mp__family.offsets[MP__REGION_PAYLOAD] + found.size - 1) / MP__PAGE_SIZE))
        return NULL;
    if (size)
        *size = found.size;
    return mp__family.base + offset;
}

bool mp__block_give(mp__block_t block, mp__owner_t from, mp__owner_t to)
{
    found_t found;
    if (!find_block((uint64_t)mp__low(block) * MP__UNIT, &found))
        return false;
    note_owner(to);
    uint64_t state = mp__pair(mp__high(block), LIVE | from);
    return mp__cas64(found.state, &state, mp__pair(mp__high(block), LIVE | to));
}

bool mp__block_take(mp__block_t block, mp__owner_t to)
{
    found_t found;
    if (!find_block((uint64_t)mp__low(block) * MP__UNIT, &found))
        return false;
    note_owner(to);
    uint64_t state = mp__load64(found.state);
    while (mp__high(state) == mp__high(block) && IS_LIVE(state))
        if (mp__cas64(found.state, &state, mp__pair(mp__high(block), LIVE | to)))
            return true;
    return false;
}

bool mp__block_owned(uint32_t place, mp__owner_t owner, mp__block_t *block, uint64_t *size)
{
    found_t found;
    if (!find_block((uint64_t)place * MP__UNIT, &found))
        return false;
    uint64_t state = mp__load64(found.state);
    *block = mp__pair(mp__high(state), place);
    *size = found.size;
    return IS_LIVE(state) && OWNER(state) == owner;
}

bool mp__block_look(uint32_t place, mp__owner_t owner, mp__block_view_t *view)
{
    found_t found;
    uint64_t offset = (uint64_t)place * MP__UNIT;
    view->state = NULL;
    if (!find_block(offset, &found))
        return false;
    uint64_t state = mp__load64(found.state);
    if (!IS_LIVE(state) || OWNER(state) != owner)
        return false;
    *view =
        (mp__block_view_t){mp__pair(mp__high(state), place), found.size, mp__family.base + offset, found.state, state};
    return true;
}

/* ---- freeing: by name whoever owns it, in a sweep only while the state is still the one that was judged */

#define BY_NAME UINT64_C(0xffffffff40000000) /* the generation, and LIVE */
#define EXACTLY UINT64_MAX

/* The one store that frees: false if the state is another by now. */
static bool retire(uint64_t *state, uint64_t wanted, uint64_t mask)
{
    uint64_t old = mp__load64(state);
    while (((old ^ wanted) & mask) == 0)
        if (mp__cas64(state, &old, mp__pair(mp__high(wanted) + 1, 0)))
            return true;
    return false;
}

/* The locks, unless somebody sits on them. */
static bool lock_class_soon(uint32_t class)
{
    mp_status_t status = lock_class(class, 0);
    return (status == MP_TIMEOUT ? lock_class(class, mp__os_now() + MOMENT) : status) == MP_OK;
}

static bool lock_pages_soon(void)
{
    mp_status_t status = lock_pages(0);
    return (status == MP_TIMEOUT ? lock_pages(mp__os_now() + MOMENT) : status) == MP_OK;
}

static void free_small(const found_t *found, uint64_t offset, uint64_t wanted, uint64_t mask)
{
    mp__class_t *cache = class_lock_of(found->class);
    if (!lock_class_soon(found->class)) {
        if (retire(found->state, wanted, mask))
            mp__store32(&cache->stale, 1);
        return;
    }
    if (retire(found->state, wanted, mask)) {
        cache->used -= cache->used ? 1 : 0;
        if (mp__high(wanted) + 1 < GENERATION_LAST) {
            *link_of(found->class, offset) = cache->free;
            cache->free = offset;
        }
    }
    mp__word_unlock(&cache->lock);
}

static void free_run(const found_t *found, uint64_t offset, uint64_t wanted, uint64_t mask)
{
    uint64_t page = (offset - mp__family.offsets[MP__REGION_PAYLOAD]) / MP__PAGE_SIZE;
    if (!lock_pages_soon()) {
        if (retire(found->state, wanted, mask))
            mp__store32(&mp__family.head->pages_stale, 1);
        return;
    }
    if (retire(found->state, wanted, mask))
        dissolve_run(page, mp__load64(&mp__family.pages[page]));
    unlock_pages();
}

/* A lent block goes in two steps: it lingers, owned by nobody, then it is freed by whoever sees first that nobody is
 * attached: this one here, who detaches last, or a sweep. Who detaches clears its record first and looks for LINGERING
 * then; so of two who are at it at once one sees what the other did. True: free it, its state is *wanted now. */
static bool let_linger(uint64_t *state, uint64_t offset, uint64_t *wanted, uint64_t *mask)
{
    uint64_t old = mp__load64(state);
    while (((old ^ *wanted) & *mask) == 0) {
        uint64_t lingering = mp__pair(mp__high(old), LIVE | LENT | LINGERING);
        if (!(old & LENT))
            return true;
        if (old == lingering || mp__cas64(state, &old, lingering)) {
            *wanted = lingering;
            *mask = EXACTLY;
            return !mp__attached(mp__pair(mp__high(old), (uint32_t)(offset / MP__UNIT)));
        }
    }
    return false;
}

static void free_block(uint64_t offset, uint64_t wanted, uint64_t mask)
{
    found_t found;
    if (!find_block(offset, &found) || !let_linger(found.state, offset, &wanted, &mask))
        return;
    if (found.class == MP__CLASSES)
        free_run(&found, offset, wanted, mask);
    else
        free_small(&found, offset, wanted, mask);
}

void mp__block_free(mp__block_t block)
{
    if (block)
        free_block((uint64_t)mp__low(block) * MP__UNIT, mp__pair(mp__high(block), LIVE), BY_NAME);
}

void mp__block_detached(mp__block_t block)
{
    free_block((uint64_t)mp__low(block) * MP__UNIT, mp__pair(mp__high(block), LIVE | LENT | LINGERING), EXACTLY);
}

/* ---- headers */

bool mp__header_at(uint32_t place)
{
    found_t found;
    return find_block((uint64_t)place * MP__UNIT, &found) && found.class == HEADERS;
}

bool mp__header_live(uint32_t place, uint32_t *generation)
{
    found_t found;
    if (!find_block((uint64_t)place * MP__UNIT, &found) || found.class != HEADERS)
        return false;
    uint64_t state = mp__load64(found.state);
    *generation = mp__high(state);
    return IS_LIVE(state);
}

bool mp__header_owner(uint32_t place, uint32_t generation, uint32_t *process)
{
    found_t found;
    if (!find_block((uint64_t)place * MP__UNIT, &found) || found.class != HEADERS)
        return false;
    uint64_t state = mp__load64(found.state);
    *process = OWNER(state);
    return mp__high(state) == generation && IS_LIVE(state) && !(state & ENDING);
}

bool mp__header_close(uint32_t place, uint32_t generation, uint32_t process)
{
    found_t found;
    if (!find_block((uint64_t)place * MP__UNIT, &found) || found.class != HEADERS)
        return false;
    uint64_t state = mp__pair(generation, LIVE | process);
    return mp__cas64(found.state, &state, state | ENDING);
}

/* ---- sweeps: over every block */

typedef void (*visit_t)(uint64_t offset, uint32_t class, uint64_t state, void *context);

static void visit_blocks(visit_t visit, void *context)
{
    uint64_t mark = used_pages();
    for (uint64_t page = 0; page < mark;) {
        uint64_t word = mp__load64(&mp__family.pages[page]);
        uint32_t class = KIND(word) == KIND_RUN ? MP__CLASSES : KIND(word) - KIND_CLASS;
        for (uint64_t i = 0; i < blocks_in(word); i++) {
            uint64_t state = mp__load64(state_of(page, i));
            if (IS_LIVE(state))
                visit(page_offset(page) + (class == MP__CLASSES ? 0 : i * class_size(class)), class, state, context);
        }
        page += pages_in(word);
    }
}

/* Not if a living one has taken it meanwhile. */
static void free_at(uint64_t offset, uint64_t state)
{
    free_block(offset, state, EXACTLY);
}

typedef struct sweep {
    uint32_t process;
    int64_t patience;
    bool complete;
} sweep_t;

/* May a container's block go: is it an object of the process, with nobody in it, or nothing at all? */
static bool container_settled(mp__owner_t owner, uint32_t process)
{
    found_t found;
    uint32_t place = (owner & ~MP__OWNER_CONTAINER) * 4;
    if (!find_block((uint64_t)place * MP__UNIT, &found) || found.class != HEADERS)
        return true;
    uint64_t state = mp__load64(found.state);
    return !IS_LIVE(state) || (OWNER(state) == process && mp__object_settled(place));
}

static void end_object_of(uint64_t offset, uint32_t class, uint64_t state, void *context)
{
    sweep_t *sweep = context;
    if (class == HEADERS && OWNER(state) == sweep->process &&
        !mp__object_end_at((uint32_t)(offset / MP__UNIT), mp__high(state), sweep->patience))
        sweep->complete = false;
}

static void free_block_of(uint64_t offset, uint32_t class, uint64_t state, void *context)
{
    const sweep_t *sweep = context;
    mp__owner_t owner = OWNER(state);
    if (class == HEADERS)
        return;
    /* A lingering one may be due: the dead one was attached to it, or died while it freed it. */
    if (owner & MP__OWNER_CONTAINER ? container_settled(owner, sweep->process)
                                    : owner == sweep->process || owner == LINGERING)
        free_at(offset, state);
}

static void free_header_of(uint64_t offset, uint32_t class, uint64_t state, void *context)
{
    const sweep_t *sweep = context;
    const mp__header_t *header = (const mp__header_t *)(const void *)(mp__family.base + offset);
    if (class != HEADERS || OWNER(state) != sweep->process || !mp__object_settled((uint32_t)(offset / MP__UNIT)))
        return;
    if (header->kind == MP__KIND_NAME && mp__sweep_name) {
        char text[MP__NAME_TEXT_MOST] = "";
        memcpy(text, header->body, sizeof text - 1);
        mp__sweep_name(text);
    }
    free_at(offset, state);
}

bool mp__release_all_of(uint32_t process, int64_t patience)
{
    sweep_t sweep = {process, patience, true};
    if (!mp__load32(&mp__family.processes[process].owns))
        return true;
    mp__fence_after_rmw(); /* the slot was made SWEEPING; who adopts or detaches meanwhile looks at that afterwards */
    visit_blocks(end_object_of, &sweep);
    visit_blocks(free_block_of, &sweep);
    visit_blocks(free_header_of, &sweep);
    return sweep.complete;
}

static void free_content(uint64_t offset, uint32_t class, uint64_t state, void *context)
{
    if (class != HEADERS && OWNER(state) == *(mp__owner_t *)context)
        free_at(offset, state);
}

void mp__release_content(uint32_t place)
{
    mp__owner_t owner = mp__owner_container(place);
    visit_blocks(free_content, &owner);
}

static void count_block(uint64_t offset, uint32_t class, uint64_t state, void *context)
{
    (void)offset;
    (void)class;
    (void)state;
    ++*(uint64_t *)context;
}

uint64_t mp__blocks_in_use(void)
{
    uint64_t count = 0;
    if (mp__family_joined())
        visit_blocks(count_block, &count);
    return count;
}

uint64_t mp__bytes_committed(void)
{
    return mp__family_joined() ? mp__load64(&mp__family.head->pages_committed) * MP__PAGE_SIZE : 0;
}
