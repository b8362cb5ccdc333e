/* The book: see book.h. */
#include "objects/queue/book.h"

#define FIRST_SIZE UINT64_C(1024)
#define NOWHERE    UINT64_MAX

enum { FREE, LEASED, RETURNED, DEAD, TAKER };

typedef struct record {
    uint64_t state;  /* {how many a TAKER has | attempt (24 bits), type, kind} */
    uint64_t holder; /* {epoch, process slot} */
    uint64_t number; /* the item's */
    mp__block_t block;
    uint64_t size;
    uint64_t reserved;
} record_t;

#define KIND(state)    ((unsigned)(state)&7u)
#define TYPE(state)    ((mp__item_t)((state) >> 3 & 1))
#define ATTEMPT(state) ((uint32_t)(state) >> 8)
#define COUNT(state)   mp__high(state)
#define ATTEMPT_MOST   UINT32_C(0xffffff)

/* What the slip says. */
enum { NOTHING, TAKE, END };

typedef struct book {
    uint64_t slip;     /* NOTHING, TAKE, END */
    uint64_t index;    /* the record, or NOWHERE */
    uint64_t state;    /* its new state */
    uint64_t finished; /* how many are done with, then */
    uint64_t lost;     /* and lost */
    uint64_t number;   /* TAKE: `gets` before it */
    mp__block_t block; /* END: to be freed with it; TAKE: if it did not come to it */

    uint64_t finished_now;
    uint64_t lost_now;  /* with those who died, ever */
    uint64_t told;      /* of which somebody was told */
    uint64_t hint;      /* a cache: below it no record is free */
    uint64_t dead;      /* a cache: DEAD records */
    mp__block_t former; /* the book in whose place this one came */
    record_t records[];
} book_t;

/* The book, whatever it contains, and how many records there is room for. */
typedef struct pages {
    book_t *book;
    uint64_t count;
} pages_t;

static uint64_t make_state(unsigned kind, mp__item_t type, uint32_t attempt, uint32_t count)
{
    return mp__pair(count, attempt << 8 | (uint32_t)type << 3 | kind);
}

static uint64_t myself(void)
{
    return mp__pair(mp__family.epoch, mp__family.process);
}

static bool dead_holder(uint64_t holder)
{
    return mp__process_dead(mp__low(holder), mp__high(holder));
}

static bool find_pages(mp__header_t *header, mp__block_view_t *view, pages_t *pages)
{
    uint32_t place = mp__low(mp__content(header)->book);
    if (!place || (!mp__block_view_holds(view, place) && !mp__block_look(place, mp__container(header), view)))
        return false;
    pages->book = (book_t *)(void *)view->data;
    pages->count = (view->size - sizeof(book_t)) / sizeof(record_t);
    return true;
}

static bool open_pages(mp_queue_t *queue, pages_t *pages)
{
    return find_pages(queue->shared.header, &queue->book, pages);
}

/* ---- its making */

/* Puts a larger book in the place of the present one, if there is one. */
static mp_status_t grow(mp_queue_t *queue, pages_t *pages)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    mp__owner_t self = mp__owner_process(mp__family.process);
    bool old = open_pages(queue, pages);
    uint64_t size = old ? queue->book.size : 0;
    mp__block_t block;
    mp_status_t status =
        mp__block_alloc_until(old ? 2 * size : FIRST_SIZE, self, mp__os_now() + MP__QUEUE_MOMENT, &block);
    if (status != MP_OK)
        return status == MP_TIMEOUT ? mp__error(MP_NO_MEMORY, "use a queue", "another is allocating") : status;
    uint64_t room;
    uint8_t *data = mp__block_at(block, &room);
    if (old)
        memcpy(data, pages->book, (size_t)size);
    memset(data + size, 0, (size_t)(room - size));
    ((book_t *)(void *)data)->former = c->book;
    mp__store64(&c->growing, block);
    mp__block_give(block, self, mp__container(header));
    mp__block_t before = c->book;
    mp__store64(&c->book, block);
    mp__block_free(before);
    mp__store64(&c->growing, 0);
    return open_pages(queue, pages) ? MP_OK : mp__queue_corrupt();
}

mp_status_t mp__book_open(mp_queue_t *queue)
{
    pages_t pages;
    return open_pages(queue, &pages) ? MP_OK : grow(queue, &pages);
}

/* A free record. MP_NO_MEMORY. */
static mp_status_t find_free(mp_queue_t *queue, pages_t *pages, uint64_t *index)
{
    if (!open_pages(queue, pages)) {
        mp_status_t status = grow(queue, pages);
        if (status != MP_OK)
            return status;
    }
    for (uint64_t i = pages->book->hint; i < pages->count; i++)
        if (KIND(pages->book->records[i].state) == FREE) {
            pages->book->hint = *index = i;
            return MP_OK;
        }
    *index = pages->count;
    return grow(queue, pages);
}

/* ---- the slip */

static void write_slip(const pages_t *pages, uint64_t what, uint64_t index, uint64_t state, uint64_t finished,
                       uint64_t lost, uint64_t number, mp__block_t block)
{
    book_t *book = pages->book;
    book->index = index;
    book->state = state;
    book->finished = book->finished_now + finished;
    book->lost = book->lost_now + lost;
    book->number = number;
    book->block = block;
    mp__store64(&book->slip, what);
}

static void carry_out(const pages_t *pages)
{
    book_t *book = pages->book;
    uint64_t index = book->index;
    if (index < pages->count) {
        mp__store64(&book->records[index].state, book->state);
        if (KIND(book->state) == FREE && index < book->hint)
            book->hint = index;
    }
    mp__store64(&book->finished_now, book->finished);
    mp__store64(&book->lost_now, book->lost);
    if (book->slip == END)
        mp__block_free(book->block);
    mp__store64(&book->slip, NOTHING);
}

/* A record changes, and so many items are done with. */
static void finish(const pages_t *pages, uint64_t index, uint64_t state, uint64_t finished, uint64_t lost,
                   mp__block_t block)
{
    write_slip(pages, END, index, state, finished, lost, 0, block);
    carry_out(pages);
}

static void notify_joins(mp__header_t *header, const pages_t *pages)
{
    if (pages->book->finished_now >= mp__load64(&mp__content(header)->puts))
        mp__wait_notify_all(&header->waits[MP__ALL_DONE]);
}

void mp__book_apply(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    pages_t pages;
    if (!open_pages(queue, &pages) || pages.book->slip == NOTHING)
        return;
    bool leased = pages.book->index != NOWHERE && KIND(pages.book->state) == LEASED;
    carry_out(&pages);
    if (leased)
        mp__store64(&mp__content(header)->leases, mp__content(header)->leases + 1);
    else
        notify_joins(header, &pages);
}

void mp__book_forget(mp_queue_t *queue)
{
    pages_t pages;
    if (!open_pages(queue, &pages) || pages.book->slip == NOTHING)
        return;
    mp__block_free(pages.book->block);
    mp__store64(&pages.book->slip, NOTHING);
}

/* The caches. */
static void recount(mp__content_t *c, const pages_t *pages)
{
    uint64_t counts[8] = {0};
    for (uint64_t i = 0; i < pages->count; i++)
        counts[KIND(pages->book->records[i].state)]++;
    c->leases = counts[LEASED];
    mp__store64(&c->returned, counts[RETURNED]);
    pages->book->dead = counts[DEAD];
    pages->book->hint = 0;
}

mp_status_t mp__book_repair(mp__header_t *header)
{
    mp__content_t *c = mp__content(header);
    mp__block_view_t view = {0};
    pages_t pages;
    if (c->growing != c->book)
        mp__block_free(c->growing);
    mp__store64(&c->growing, 0);
    if (!c->book)
        return MP_OK;
    if (!find_pages(header, &view, &pages))
        return mp__queue_corrupt();
    book_t *book = pages.book;
    mp__block_free(book->former);
    if (book->slip == END || (book->slip == TAKE && c->gets != book->number)) {
        carry_out(&pages);
    } else if (book->slip == TAKE) {
        mp__block_free(book->block);
        mp__store64(&book->slip, NOTHING);
    }
    recount(c, &pages);
    mp__wait_notify_all(&header->waits[MP__ALL_DONE]);
    return MP_OK;
}

void mp__book_release(mp__header_t *header)
{
    mp__content_t *c = mp__content(header);
    mp__block_view_t view = {0};
    pages_t pages;
    if (!find_pages(header, &view, &pages))
        return;
    for (uint64_t i = 0; i < pages.count; i++) {
        unsigned kind = KIND(pages.book->records[i].state);
        if (kind == LEASED || kind == RETURNED || kind == DEAD)
            mp__block_free(pages.book->records[i].block);
    }
    mp__block_free(c->book);
}

/* ---- taking from the chain */

/* A block of the queue's with the bytes of the small item at the spot; the slip names it before it is the queue's. */
static mp_status_t copy_for_lease(mp__header_t *header, const pages_t *pages, const uint8_t *body, uint64_t size,
                                  mp__block_t *block)
{
    mp__owner_t self = mp__owner_process(mp__family.process);
    mp_status_t status = mp__block_alloc_until(size, self, mp__os_now() + MP__QUEUE_MOMENT, block);
    if (status != MP_OK)
        return status == MP_TIMEOUT ? mp__error(MP_NO_MEMORY, "get from a queue", "another is allocating") : status;
    memcpy(mp__block_at(*block, NULL), body, (size_t)size);
    mp__store64(&pages->book->block, *block);
    mp__block_give(*block, self, mp__container(header));
    return MP_OK;
}

mp_status_t mp__book_lease(mp_queue_t *queue, const mp__spot_t *spot, uint64_t word, mp__wanted_t *wanted)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    pages_t pages;
    uint64_t index;
    mp_status_t status = find_free(queue, &pages, &index);
    if (status != MP_OK)
        return status;
    uint64_t state = make_state(LEASED, MP__WORD_TYPE(word), 1, 0);
    write_slip(&pages, TAKE, index, state, 0, 0, c->gets, 0);
    if (!mp__buffer_reserve(wanted->out, (size_t)wanted->size))
        return MP_NO_MEMORY;
    mp__block_t block;
    if (MP__WORD_KIND(word) == MP__BIG) {
        uint64_t room;
        block = mp__big_at(c, spot).block;
        if (!mp__block_at(block, &room))
            return MP_BUSY;
        if (room < wanted->size)
            return mp__queue_corrupt();
        wanted->block = block;
    } else {
        const uint8_t *body = mp__body_at(spot) + mp__prefix(c);
        status = copy_for_lease(header, &pages, body, wanted->size, &block);
        if (status != MP_OK)
            return status;
        (void)mp__buffer_append(wanted->out, body, (size_t)wanted->size); /* there is room */
    }
    wanted->record = (uint32_t)index;
    wanted->attempt = 1;
    wanted->number = c->gets;
    pages.book->records[index] = (record_t){make_state(FREE, 0, 0, 0), myself(), c->gets, block, wanted->size, 0};
    return MP_OK;
}

/* This process's record as a taker. */
static bool find_taker(mp_queue_t *queue, const pages_t *pages, uint64_t *index)
{
    const record_t *records = pages->book->records;
    uint64_t self = myself(), i = queue->taker;
    if (i >= pages->count || KIND(records[i].state) != TAKER || records[i].holder != self)
        for (i = 0; i < pages->count && !(KIND(records[i].state) == TAKER && records[i].holder == self);)
            i++;
    *index = queue->taker = i;
    return i < pages->count;
}

mp_status_t mp__book_taker(mp_queue_t *queue)
{
    mp__content_t *c = mp__content(queue->shared.header);
    pages_t pages;
    uint64_t index;
    uint32_t count = 0;
    if (open_pages(queue, &pages) && find_taker(queue, &pages, &index)) {
        count = COUNT(pages.book->records[index].state);
    } else {
        mp_status_t status = find_free(queue, &pages, &index);
        if (status != MP_OK)
            return status;
        pages.book->records[index].holder = myself();
        queue->taker = index;
    }
    write_slip(&pages, TAKE, index, make_state(TAKER, 0, 0, count + 1), 0, 0, c->gets, 0);
    return MP_OK;
}

mp_status_t mp__book_lost(mp_queue_t *queue)
{
    pages_t pages;
    if (!open_pages(queue, &pages))
        return mp__queue_corrupt();
    mp__store64(&pages.book->slip, NOTHING);
    write_slip(&pages, TAKE, NOWHERE, 0, 1, 0, mp__content(queue->shared.header)->gets, 0);
    return MP_OK;
}

/* ---- coming back */

/* Is the block still this queue's? Else somebody who died had handed it over: the other queue's repair must not take it
 * for one that is about to arrive. */
static bool still_has(const mp_queue_t *queue, mp__block_t block)
{
    mp__block_t found;
    uint64_t size;
    return mp__block_owned(mp__low(block), mp__container(queue->shared.header), &found, &size) && found == block;
}

/* Hands a dead letter over. False: not now. */
static bool bury(mp_queue_t *queue, const pages_t *pages, uint64_t index)
{
    const mp__content_t *c = mp__content(queue->shared.header);
    const record_t *record = &pages->book->records[index];
    mp__big_t big = {record->block, record->size, (uint64_t)TYPE(record->state)};
    mp__reference_t letters = c->letters;
    mp__block_view_t view = {0};
    mp__header_t *header;
    mp__block_t block = 0;
    mp_status_t status = mp__object_open(&letters, MP_KIND_QUEUE, &header);
    if (status == MP_OK)
        status = mp__try_put_side(header, &letters, &view);
    if (status == MP_TIMEOUT)
        return false;
    if (status == MP_OK) {
        status = still_has(queue, big.block)
                     ? mp__append_block(header, &view, TYPE(record->state), &big, mp__container(queue->shared.header),
                                        mp__os_now() + MP__QUEUE_MOMENT)
                     : MP_GONE;
        mp__unlock_side(&header->lock);
        if (status == MP_OK)
            mp__wait_notify(&header->waits[MP__NOT_EMPTY]);
        else if (status != MP_GONE)
            return false;
    } else {
        block = big.block; /* there is no queue for it any more */
    }
    finish(pages, index, FREE, 1, 0, block);
    notify_joins(queue->shared.header, pages);
    return true;
}

static void bury_all(mp_queue_t *queue, const pages_t *pages)
{
    for (uint64_t i = 0; i < pages->count && pages->book->dead; i++)
        if (KIND(pages->book->records[i].state) == DEAD) {
            if (!bury(queue, pages, i))
                return;
            pages->book->dead--;
        }
}

/* A lease is over, and its item was not done with. */
static void bring_back(mp__content_t *c, const pages_t *pages, record_t *record)
{
    uint64_t state = record->state;
    bool too_often = (c->flags & MP__QUEUE_BURIES) && ATTEMPT(state) >= c->attempts;
    mp__store64(&record->state, make_state(too_often ? DEAD : RETURNED, TYPE(state), ATTEMPT(state), 0));
    c->leases -= c->leases > 0;
    if (too_often)
        pages->book->dead++;
    else
        mp__store64(&c->returned, c->returned + 1);
}

void mp__book_find_dead(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    uint64_t deaths = mp__load32(&mp__family.head->deaths), living = myself();
    pages_t pages;
    if (!c->leases || !open_pages(queue, &pages))
        return;
    for (uint64_t i = 0; i < pages.count; i++) {
        record_t *record = &pages.book->records[i];
        if (KIND(record->state) != LEASED || record->holder == living)
            continue;
        if (dead_holder(record->holder))
            bring_back(c, &pages, record);
        else
            living = record->holder;
    }
    c->deaths = deaths;
    if (pages.book->dead)
        bury_all(queue, &pages);
    if (c->returned)
        mp__wait_notify(&header->waits[MP__NOT_EMPTY]);
}

/* The record of the item that was put first of those that came back. */
static bool first_returned(const pages_t *pages, uint64_t *index)
{
    const record_t *records = pages->book->records;
    *index = NOWHERE;
    for (uint64_t i = 0; i < pages->count; i++)
        if (KIND(records[i].state) == RETURNED && (*index == NOWHERE || records[i].number < records[*index].number))
            *index = i;
    return *index != NOWHERE;
}

/* Gives the item out again, to this process. */
static void lease_again(record_t *record, uint64_t index, mp__wanted_t *wanted)
{
    uint64_t state = record->state;
    uint32_t attempt = ATTEMPT(state) + (ATTEMPT(state) < ATTEMPT_MOST);
    record->holder = myself();
    mp__store64(&record->state, make_state(LEASED, TYPE(state), attempt, 0));
    wanted->block = record->block;
    wanted->number = record->number;
    wanted->record = (uint32_t)index;
    wanted->attempt = attempt;
}

/* Takes it for good. In a joinable queue the record then says that this process has it. */
static void take_for_good(const pages_t *pages, uint64_t index, bool joinable, mp__wanted_t *wanted)
{
    record_t *record = &pages->book->records[index];
    wanted->block = record->block;
    record->holder = myself();
    if (joinable)
        mp__store64(&record->state, make_state(TAKER, 0, 0, 1));
    else
        finish(pages, index, FREE, 1, 0, 0);
}

/* The one at index. MP_BUSY: it is lost, look for the next. */
static mp_status_t take_record(mp_queue_t *queue, const pages_t *pages, uint64_t index, mp__wanted_t *wanted)
{
    mp__content_t *c = mp__content(queue->shared.header);
    record_t *record = &pages->book->records[index];
    uint64_t room;
    wanted->size = record->size;
    mp_status_t status = mp__wanted_fits(wanted, TYPE(record->state), wanted->size);
    if (status != MP_OK)
        return status;
    bool there = mp__block_at(record->block, &room) && room >= record->size;
    if (there && wanted->way != MP__LENT && !mp__wanted_room(wanted, wanted->size))
        return MP_NO_MEMORY;
    wanted->type = TYPE(record->state);
    if (there && wanted->way == MP__LEASED) {
        lease_again(record, index, wanted);
        c->leases++;
    } else if (there && mp__block_take(record->block, mp__owner_process(mp__family.process))) {
        take_for_good(pages, index, (c->flags & MP__QUEUE_JOINABLE) != 0, wanted);
    } else {
        finish(pages, index, FREE, 1, 0, 0); /* who died in taking it took it along */
        status = MP_BUSY;
    }
    mp__store64(&c->returned, c->returned - 1);
    if (status == MP_OK && wanted->items) {
        wanted->items[0] = (mp_bytes_t){wanted->room, (size_t)wanted->size};
        wanted->n = 1;
    }
    return status;
}

mp_status_t mp__book_take_returned(mp_queue_t *queue, mp__wanted_t *wanted)
{
    mp__content_t *c = mp__content(queue->shared.header);
    pages_t pages;
    uint64_t index;
    if (mp__book_look_due(c))
        mp__book_find_dead(queue);
    if (!open_pages(queue, &pages))
        return mp__queue_corrupt();
    if (pages.book->dead)
        bury_all(queue, &pages);
    while (c->returned) {
        if (!first_returned(&pages, &index)) {
            recount(c, &pages); /* somebody scribbled over it */
            break;
        }
        mp_status_t status = take_record(queue, &pages, index, wanted);
        if (status != MP_BUSY)
            return status;
    }
    return MP_BUSY;
}

void mp__book_drop_returned(mp_queue_t *queue)
{
    mp__content_t *c = mp__content(queue->shared.header);
    pages_t pages;
    uint64_t index;
    if (!open_pages(queue, &pages))
        return;
    while (first_returned(&pages, &index))
        finish(&pages, index, FREE, 1, 0, pages.book->records[index].block);
    mp__store64(&c->returned, 0);
    notify_joins(queue->shared.header, &pages);
}

/* ---- being done */

static mp_status_t no_lease(void)
{
    return mp__error(MP_STATE, "end a lease", "this process does not hold it");
}

static mp_status_t end_record(mp_queue_t *queue, const pages_t *pages, uint32_t index, bool done)
{
    mp__header_t *header = queue->shared.header;
    mp__content_t *c = mp__content(header);
    record_t *record = &pages->book->records[index];
    if (done) {
        finish(pages, index, FREE, 1, 0, record->block);
        c->leases -= c->leases > 0;
        notify_joins(header, pages);
    } else {
        bring_back(c, pages, record);
        if (pages->book->dead)
            bury_all(queue, pages);
    }
    return MP_OK;
}

mp_status_t mp__book_end_lease(mp_queue_t *queue, uint32_t record, uint64_t number, uint32_t attempt, bool done)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = mp__lock_get_side(queue, MP__NEVER);
    if (status != MP_OK)
        return status;
    pages_t pages;
    if (!open_pages(queue, &pages) || record >= pages.count)
        status = no_lease();
    const record_t *r = status == MP_OK ? &pages.book->records[record] : NULL;
    if (r && (KIND(r->state) != LEASED || r->holder != myself() || r->number != number || ATTEMPT(r->state) != attempt))
        status = no_lease();
    if (status == MP_OK)
        status = end_record(queue, &pages, record, done);
    mp__unlock_side(&header->second);
    if (status == MP_OK && !done)
        mp__wait_notify(&header->waits[MP__NOT_EMPTY]);
    return status;
}

mp_status_t mp__book_task_done(mp_queue_t *queue)
{
    mp__header_t *header = queue->shared.header;
    mp_status_t status = mp__lock_get_side(queue, MP__NEVER);
    if (status != MP_OK)
        return status;
    pages_t pages;
    uint64_t index;
    if (open_pages(queue, &pages) && find_taker(queue, &pages, &index)) {
        uint32_t count = COUNT(pages.book->records[index].state);
        finish(&pages, index, count > 1 ? make_state(TAKER, 0, 0, count - 1) : FREE, 1, 0, 0);
        notify_joins(header, &pages);
    } else {
        status = mp__error(MP_STATE, "be done with a task", "this process has none that it is not done with");
    }
    mp__unlock_side(&header->second);
    return status;
}

/* What the dead had taken is nobody's to be done with any more. */
static void give_up_lost(const pages_t *pages)
{
    uint64_t living = myself();
    for (uint64_t i = 0; i < pages->count; i++) {
        const record_t *record = &pages->book->records[i];
        if (KIND(record->state) != TAKER || record->holder == living)
            continue;
        if (dead_holder(record->holder))
            finish(pages, i, FREE, COUNT(record->state), COUNT(record->state), 0);
        else
            living = record->holder;
    }
}

uint64_t mp__book_unfinished(mp_queue_t *queue, uint64_t *told, uint64_t *lost)
{
    mp__header_t *header = queue->shared.header;
    pages_t pages;
    *lost = 0;
    if (!open_pages(queue, &pages))
        return 0;
    book_t *book = pages.book;
    give_up_lost(&pages);
    if (*told == UINT64_MAX)
        *told = book->told;
    if (book->lost_now > *told) {
        *lost = book->lost_now - *told;
        book->told = book->lost_now;
        mp__wait_notify_all(&header->waits[MP__ALL_DONE]); /* the others who wait were not told yet */
    }
    return mp__content(header)->puts - book->finished_now;
}

bool mp__book_glance(mp__header_t *header, uint64_t *unfinished)
{
    mp__block_view_t view = {0};
    pages_t pages;
    if (!find_pages(header, &view, &pages))
        return false;
    uint64_t finished = mp__load64(&pages.book->finished_now), puts = mp__load64(&mp__content(header)->puts);
    *unfinished = puts > finished ? puts - finished : 0;
    return true;
}
