/* Who holds and who waits, of any shared object. */
#include "objects/dump.h"

#include <multiproc/print.h>

#include "objects/shared.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#define STEP  "dump an object"
#define FLAGS UINT64_C(0xc0000000) /* of a lock word, beside its owner */

void mp__dump_line(mp__dump_t *dump, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (dump->status == MP_OK)
        dump->status = mp__buffer_append(&dump->text, line, strlen(line));
    if (dump->status == MP_OK)
        dump->status = mp__buffer_append(&dump->text, "\n", 1);
}

/* ---- processes and threads */

static bool name_process(uint32_t index, uint32_t epoch, char *text, size_t size)
{
    if (index >= mp__load32(&mp__family.head->process_mark) ||
        !mp__region_touchable(MP__REGION_PROCESSES, (index + 1) * sizeof(mp__process_slot_t)))
        return false;
    const mp__process_slot_t *slot = &mp__family.processes[index];
    if (mp__high(mp__load64(&slot->claim)) != epoch)
        return false;
    snprintf(text, size, "%.*s (pid %lu)%s", (int)sizeof slot->name, slot->name, (unsigned long)slot->pid,
             mp__process_dead(index, epoch) ? ", which has died" : "");
    return true;
}

static const mp__thread_slot_t *thread_slot(uint32_t index)
{
    bool there = index < mp__load32(&mp__family.head->thread_mark) &&
                 mp__region_touchable(MP__REGION_THREADS, (index + 1) * sizeof(mp__thread_slot_t));
    return there ? &mp__family.threads[index] : NULL;
}

static void name_thread(uint64_t thread, char *text, size_t size)
{
    char process[160];
    const mp__thread_slot_t *slot = thread_slot(mp__low(thread) - 1);
    uint64_t claim = slot ? mp__load64(&slot->claim) : 0;
    uint32_t index = mp__low(claim) - 1;
    if (mp__low(claim) == 0 || mp__high(claim) != mp__high(thread) || index >= MP__MAX_PROCESSES ||
        !name_process(index, mp__high(mp__load64(&mp__family.processes[index].claim)), process, sizeof process))
        snprintf(text, size, "thread %lu, which has ended", (unsigned long)mp__low(thread));
    else
        snprintf(text, size, "thread %lu of %s", (unsigned long)mp__low(thread), process);
}

void mp__dump_thread(mp__dump_t *dump, const char *what, uint64_t thread, const char *more)
{
    char text[256];
    name_thread(thread, text, sizeof text);
    mp__dump_line(dump, "  %s: %s%s%s", what, text, *more ? ", " : "", more);
}

static void dump_lock(mp__dump_t *dump, const char *what, const mp__lock_word_t *word, const char *more)
{
    uint64_t owner = mp__load64(word) & ~FLAGS;
    if (mp__low(owner))
        mp__dump_thread(dump, what, owner, more);
}

void mp__dump_held(mp__dump_t *dump, const mp__header_t *header)
{
    char more[64] = "";
    uint32_t again = mp__low(mp__load64(&header->state));
    if (again && (header->kind == MP_KIND_RLOCK || header->kind == MP_KIND_CONDITION))
        snprintf(more, sizeof more, "%llu times", (unsigned long long)again + 1);
    dump_lock(dump, "held by", &header->held, more);
}

/* ---- who sleeps where */

static const char *word_name(const mp__header_t *header, size_t at)
{
    bool queue = header->kind == MP_KIND_QUEUE;
    if (at >= offsetof(mp__header_t, held) && at < offsetof(mp__header_t, state))
        return "waits for the lock";
    if (at == offsetof(mp__header_t, waits))
        return queue ? "waits to get" : "waits";
    if (at == offsetof(mp__header_t, waits) + sizeof(uint32_t))
        return queue ? "waits to put" : "waits";
    bool first = at - offsetof(mp__header_t, lock) < sizeof header->lock;
    bool second = at - offsetof(mp__header_t, second) < sizeof header->second;
    return first || second ? "waits for another who is in it" : "waits";
}

static void dump_sleepers(mp__dump_t *dump, const mp__header_t *header)
{
    uint64_t begin = mp__offset_of(header);
    uint32_t mark = mp__load32(&mp__family.head->thread_mark);
    for (uint32_t i = 0; i < mark; i++) {
        const mp__thread_slot_t *slot = thread_slot(i);
        uint64_t claim = slot ? mp__load64(&slot->claim) : 0, parked = slot ? mp__load64(&slot->parked) : 0;
        if (mp__low(claim) && parked >= begin && parked < begin + sizeof *header)
            mp__dump_thread(dump, word_name(header, (size_t)(parked - begin)), mp__pair(mp__high(claim), i + 1), "");
    }
}

/* ---- the whole */

static void dump_kind(mp__dump_t *dump, mp__header_t *header, const mp__reference_t *reference)
{
    switch (header->kind) {
    case MP_KIND_QUEUE:
        mp__queue_dump(header, dump);
        break;
    case MP_KIND_SHARED_MEMORY:
        mp__dump_line(dump, "  size: %llu bytes",
                      (unsigned long long)((const mp__lent_t *)(void *)header->body)->bytes);
        break;
    case MP_KIND_SHARED_VALUE:
        mp__shared_value_dump(header, dump);
        mp__dump_held(dump, header);
        break;
    case MP_KIND_SHARED_ARRAY:
        mp__shared_array_dump(header, dump);
        mp__dump_held(dump, header);
        break;
    case MP_KIND_LOCK:
    case MP_KIND_RLOCK:
        mp__dump_held(dump, header);
        break;
    case MP_KIND_SEMAPHORE:
        mp__semaphore_dump(header, reference, dump);
        break;
    case MP_KIND_EVENT:
        mp__event_dump(header, reference, dump);
        break;
    case MP_KIND_CONDITION:
        mp__condition_dump(header, reference, dump);
        break;
    case MP_KIND_BARRIER:
        mp__barrier_dump(header, reference, dump);
        break;
    default:
        break;
    }
}

static void dump_object(mp__dump_t *dump, const mp__shared_t *shared)
{
    char owner[160] = "a process that has ended";
    mp__header_t *header = shared->header;
    const mp__reference_t *reference = &shared->handle.reference;
    const char *kind = mp_kind_name((mp_kind_t)reference->kind);
    unsigned long place = reference->place, generation = reference->generation;
    if (!mp__object_is(header, reference)) {
        mp__dump_line(dump, "<%s %lu:%lu> has ended", kind, place, generation);
        return;
    }
    (void)name_process(header->owner, header->owner_epoch, owner, sizeof owner);
    mp__dump_line(dump, "<%s %lu:%lu> of %s", kind, place, generation, owner);
    dump_kind(dump, header, reference);
    dump_lock(dump, "in it", &header->lock, "");
    dump_lock(dump, "in it", &header->second, "");
    dump_sleepers(dump, header);
}

/* Which kinds begin with an mp__shared_t. */
static bool is_shared(mp_kind_t kind)
{
    return kind >= MP_KIND_QUEUE && kind <= MP_KIND_SHAREABLE_LIST;
}

mp_status_t mp__dump_text(mp_value_t object, char **text, size_t *size)
{
    mp_kind_t kind = mp_value_kind(object);
    mp__dump_t dump = {.status = MP_OK};
    *text = NULL;
    if (!is_shared(kind))
        return mp__error(MP_TYPE, STEP, "a %s is no shared object", mp_kind_name(kind));
    mp_status_t status = mp__shared_use(object.as.object, kind);
    if (status != MP_OK)
        return status;
    mp__buffer_init(&dump.text);
    dump_object(&dump, object.as.object);
    *size = dump.text.size;
    if (dump.status == MP_OK)
        dump.status = mp__buffer_append(&dump.text, "", 1);
    if (dump.status == MP_OK && !(*text = malloc(dump.text.size)))
        dump.status = mp__error(MP_NO_MEMORY, STEP, "no memory for the text");
    if (dump.status == MP_OK)
        memcpy(*text, dump.text.data, dump.text.size);
    mp__buffer_fini(&dump.text);
    return dump.status;
}

char *mp__dump_alone(mp_value_t object)
{
    char *text;
    size_t size;
    return mp__dump_text(object, &text, &size) == MP_OK ? text : NULL;
}
