/* Hostile messages: each is refused with its status, and none makes the decoder ask for more memory than the message's
 * size. */
#include "harness.h"

#include "objects.h"
#include "platform.h"
#include "wire/call.h"
#include "wire/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the largest request for memory, where the linker can wrap the allocator */

static size_t largest;

#if defined(MP_TEST_WRAPS_MALLOC)

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);

static void note(size_t size)
{
    if (size > largest)
        largest = size;
}

void *__wrap_malloc(size_t size)
{
    note(size);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    note(n * size);
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    note(size);
    return __real_realloc(block, size);
}

#endif

/* ---- the table */

/* A receiver for what never gets as far as to be opened. */
static mp_status_t never_open(void *context, mp_kind_t kind, const mp__reference_t *reference, uint64_t item,
                              void **object)
{
    (void)context, (void)kind, (void)reference, (void)item, (void)object;
    CU_FAIL("opened an object of a refused message");
    return MP_GONE;
}

static mp_status_t never_take(void *context, uint32_t index, mp_kind_t kind, void **object)
{
    (void)context, (void)index, (void)kind, (void)object;
    CU_FAIL("took an object of a refused message");
    return MP_GONE;
}

static const mp__receiver_t never = {never_open, never_take, NULL};

/* The message stands in memory of exactly its size, so that a sanitizer sees every read behind it. */
static mp_status_t decode(const void *data, size_t size, const mp__receiver_t *receiver)
{
    mp_value_t v;
    uint8_t *message = malloc(size > 0 ? size : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(message);
    if (size > 0)
        memcpy(message, data, size);
    mp_status_t status = mp__decode(message, size, receiver, &v);
    if (status == MP_OK) {
        mp_value_free(&v);
    } else {
        /* Once more, because the first use of a thread's variable may have allocated it. */
        largest = 0;
        CU_ASSERT_EQUAL(mp__decode(message, size, receiver, &v), status);
        CU_ASSERT(largest <= size && mp_value_kind(v) == MP_KIND_NONE);
    }
    free(message);
    return status;
}

#define ROW(status, bytes)                                                                                             \
    {                                                                                                                  \
#bytes, bytes, sizeof bytes - 1, status                                                                        \
    }

#define TAG(kind) "\xd9\x6d" kind /* 0x6d00 + kind */
#define FUNCTION  TAG("\x0a")
#define CONN      TAG("\x0b")
#define QUEUE     TAG("\x0c")
#define PROCESS   TAG("\x1a")
#define POOL      TAG("\x1b")
#define DESC      TAG("\x1c")
#define BYTES16   "\x01\x00\x00\x00\x01\x00\x00\x00\x0c\x00\x01\x02\x03\x04\x05\x06"
#define NOTHING16 "\x00\x00\x00\x00\x01\x00\x00\x00\x0c\x00\x01\x02\x03\x04\x05\x06"

static const struct {
    const char *name;
    const char *bytes;
    size_t size;
    mp_status_t status;
} table[] = {
    /* ends too early, or announces more than there is */
    ROW(MP_MALFORMED, ""),
    ROW(MP_MALFORMED, "\x19\x01"),
    ROW(MP_MALFORMED, "\xfb\x3f\xf0"),
    ROW(MP_MALFORMED, "\x65hell"),
    ROW(MP_MALFORMED, "\x45hell"),
    ROW(MP_MALFORMED, "\x7b\x7f\xff\xff\xff\xff\xff\xff\xff"),
    ROW(MP_MALFORMED, "\x5b\xff\xff\xff\xff\xff\xff\xff\xff"),
    ROW(MP_MALFORMED, "\x5b\xff\xff\xff\xff\xff\xff\xff\xf7"),
    ROW(MP_MALFORMED, "\x82\x01"),
    ROW(MP_MALFORMED, "\x9a\x7f\xff\xff\xff\x01"),
    ROW(MP_MALFORMED, "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
    ROW(MP_MALFORMED, "\x9b\x0a\xaa\xaa\xaa\xaa\xaa\xaa\xab\x01\x01"),
    ROW(MP_MALFORMED, "\xa1\x01"),
    ROW(MP_MALFORMED, "\xbb\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x01"),
    ROW(MP_MALFORMED, "\xbb\x80\x00\x00\x00\x00\x00\x00\x01\x01\x01"),
    ROW(MP_MALFORMED, "\xd9\x6d"),
    ROW(MP_MALFORMED, QUEUE),
    /* something behind the end */
    ROW(MP_MALFORMED, "\x01\x01"),
    ROW(MP_MALFORMED, "\x80\x00"),
    ROW(MP_MALFORMED, "\x60\xff"),
    /* text that is not UTF-8: overlong, surrogates, beyond the last character, cut, lone */
    ROW(MP_MALFORMED, "\x62\xc0\x80"),
    ROW(MP_MALFORMED, "\x63\xe0\x80\x80"),
    ROW(MP_MALFORMED, "\x64\xf0\x80\x80\x80"),
    ROW(MP_MALFORMED, "\x63\xed\xa0\x80"),
    ROW(MP_MALFORMED, "\x64\xf4\x90\x80\x80"),
    ROW(MP_MALFORMED, "\x64\xf5\x80\x80\x80"),
    ROW(MP_MALFORMED, "\x61\xc3"),
    ROW(MP_MALFORMED, "\x61\x80"),
    ROW(MP_MALFORMED, "\x62\xc3\x28"),
    ROW(MP_MALFORMED, "\x6a"
                      "12345678\xc3\x28"),
    ROW(MP_MALFORMED, "\x81\x61\xff"),
    ROW(MP_MALFORMED, "\xa1\x61\xff\x01"),
    /* keys twice, as Python compares them */
    ROW(MP_MALFORMED, "\xa2\x01\xf6\x01\xf6"),
    ROW(MP_MALFORMED, "\xa2\x01\xf6\xf5\xf6"),
    ROW(MP_MALFORMED, "\xa2\x01\xf6\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00\xf6"),
    ROW(MP_MALFORMED, "\xa2\x61"
                      "a\x01\x61"
                      "a\x01"),
    ROW(MP_MALFORMED, "\xa2\xf6\x01\xf6\x02"),
    ROW(MP_MALFORMED, "\xa2\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00\x01\xfb\xff\xf8\x00\x00\x00\x00\x00\x01\x02"),
    ROW(MP_MALFORMED, "\xa2\x18\x01\xf6\x01\xf6"),
    ROW(MP_MALFORMED, "\x81\xa1\x01\xa2\x41x\x01\x41x\x01"),
    /* keys that are none */
    ROW(MP_MALFORMED, "\xa1\x80\x01"),
    ROW(MP_MALFORMED, "\xa1\x81\x01\x01"),
    ROW(MP_MALFORMED, "\xa1\xa0\x01"),
    ROW(MP_MALFORMED, "\xa1" QUEUE "\x50" BYTES16 "\x01"),
    ROW(MP_MALFORMED, "\xa1" FUNCTION "\x61"
                      "f\x01"),
    /* what the encoder never writes */
    ROW(MP_MALFORMED, "\x9f\x01\xff"),
    ROW(MP_MALFORMED, "\xbf\x01\x01\xff"),
    ROW(MP_MALFORMED, "\x7f\x61"
                      "a\xff"),
    ROW(MP_MALFORMED, "\x5f\x41"
                      "a\xff"),
    ROW(MP_MALFORMED, "\xff"),
    ROW(MP_MALFORMED, "\x81\xff"),
    ROW(MP_MALFORMED, "\xf7"),
    ROW(MP_MALFORMED, "\xf0"),
    ROW(MP_MALFORMED, "\xf8\x20"),
    ROW(MP_MALFORMED, "\xf9\x3c\x00"),
    ROW(MP_MALFORMED, "\xfa\x3f\x80\x00\x00"),
    ROW(MP_MALFORMED, "\x1c"),
    ROW(MP_MALFORMED, "\x3b\x80\x00\x00\x00\x00\x00\x00\x00"),
    ROW(MP_MALFORMED, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff"),
    /* tags that mean nothing */
    ROW(MP_MALFORMED, "\xc0\x60"),
    ROW(MP_MALFORMED, "\xc2\x41\x01"),
    ROW(MP_MALFORMED, TAG("\x00") "\xf6"),
    ROW(MP_MALFORMED, TAG("\x09") "\x50" BYTES16),
    ROW(MP_MALFORMED, TAG("\x7f") "\x00"),
    ROW(MP_MALFORMED, "\xd9\x6c\xff\x00"),
    ROW(MP_MALFORMED, "\xdb\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
    ROW(MP_MALFORMED, PROCESS "\x50" BYTES16),
    ROW(MP_MALFORMED, POOL "\x50" BYTES16),
    /* references that are none */
    ROW(MP_MALFORMED, QUEUE "\x01"),
    ROW(MP_MALFORMED, QUEUE "\xf6"),
    ROW(MP_MALFORMED, QUEUE QUEUE "\x50" BYTES16),
    ROW(MP_MALFORMED, QUEUE "\x40"),
    ROW(MP_MALFORMED, QUEUE "\x4f"
                            "123456789012345"),
    ROW(MP_MALFORMED, QUEUE "\x51" BYTES16 "x"),
    ROW(MP_MALFORMED, QUEUE "\x70" BYTES16),
    ROW(MP_MALFORMED, QUEUE "\x50" NOTHING16),
    /* connections and descriptors */
    ROW(MP_MALFORMED, CONN "\x20"),
    ROW(MP_MALFORMED, CONN "\x19\x01\x00"),
    ROW(MP_MALFORMED, DESC "\x1b\x00\x00\x00\x01\x00\x00\x00\x00"),
    ROW(MP_MALFORMED, DESC "\x61"
                           "0"),
    ROW(MP_MALFORMED, "\x82" CONN "\x00" CONN "\x00"),
    ROW(MP_MALFORMED, "\x82" CONN "\x3f" DESC "\x3f"),
    ROW(MP_MALFORMED, "\x82" DESC "\x18\x3f" DESC "\x18\x3f"),
    /* functions */
    ROW(MP_MALFORMED, FUNCTION "\x01"),
    ROW(MP_MALFORMED, FUNCTION "\x80"),
    ROW(MP_MALFORMED, FUNCTION "\x81\x41"
                               "a"),
    ROW(MP_MALFORMED, FUNCTION "\x82\x01\x01"),
    ROW(MP_MALFORMED, FUNCTION "\x82\x41"
                               "a\x41"
                               "a"),
    ROW(MP_MALFORMED, FUNCTION "\x83\x41"
                               "a\x01\x01"),
    ROW(MP_MALFORMED, FUNCTION "\x84\x41"
                               "a\x01\x41p\x01"),
    ROW(MP_MALFORMED, FUNCTION "\x82\x40\x01"),
    ROW(MP_MALFORMED, FUNCTION "\x82\x58\x21"
                               "123456789012345678901234567890123\x01"),
    ROW(MP_MALFORMED, FUNCTION "\x83\x41"
                               "a\x01\x42p\x00"),
    ROW(MP_MALFORMED, FUNCTION "\x83\x41"
                               "a\x01\x61p"),
    ROW(MP_MALFORMED, FUNCTION "\x61\xff"),
    ROW(MP_MISMATCH, FUNCTION "\x82\x54"
                              "12345678901234567890\x19\x10\x00"),
    ROW(MP_NOT_FOUND, FUNCTION "\x83\x54"
                               "12345678901234567890\x19\x10\x00\x4c/no/such/mod"),
    ROW(MP_NOT_FOUND, FUNCTION "\x6cnot exported"),
    ROW(MP_NOT_FOUND, FUNCTION "\x60"),
};

MP_CASE(each_is_refused_with_its_status)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        mp_status_t status = decode(table[i].bytes, table[i].size, &never);
        if (status != table[i].status)
            printf("%s is %s, not %s (%s)\n", table[i].name, mp_status_name(status), mp_status_name(table[i].status),
                   mp_error()->text);
        CU_ASSERT_EQUAL(status, table[i].status);
        CU_ASSERT_EQUAL(mp_error()->status, table[i].status);
    }
}

MP_CASE(the_text_names_what_and_where)
{
    static const char message[] = "\x83\x01\x02\xa2\x61k\x01\x61k\x02";
    CU_ASSERT_EQUAL(decode(message, sizeof message - 1, &never), MP_MALFORMED);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "a key for the second time at byte 7");
}

/* The same things where no objects are expected at all. */
MP_CASE(objects_are_refused_without_a_receiver)
{
    static const char queue[] = "\x81" QUEUE "\x50" BYTES16, conn[] = CONN "\x00", descriptor[] = DESC "\x00";
    CU_ASSERT_EQUAL(decode(queue, sizeof queue - 1, NULL), MP_MALFORMED);
    CU_ASSERT_EQUAL(decode(conn, sizeof conn - 1, NULL), MP_MALFORMED);
    CU_ASSERT_EQUAL(decode(descriptor, sizeof descriptor - 1, NULL), MP_MALFORMED);
}

static mp_status_t target(mp_call_t *call)
{
    return mp_return(call, MP_NONE);
}

/* The function's module is this program, and of this build, but no function can be there. */
MP_CASE(an_offset_outside_the_code_is_refused)
{
    mp__buffer_t buffer;
    mp_value_t v = mp__of_function(target);
    mp__os_module_t module;
    uint64_t offset;
    REQUIRE_OK(mp__os_function_find(target, &module, &offset));
    mp__buffer_init(&buffer);
    REQUIRE_OK(mp__encode(&v, NULL, &buffer));
    /* The offset stands at the end. */
    CU_ASSERT_FATAL(offset > 255 && buffer.data[buffer.size - 1] == (offset & 0xff));
    size_t at = buffer.size - (offset > UINT32_MAX ? 9 : offset > UINT16_MAX ? 5 : 3);
    uint8_t message[300];
    memcpy(message, buffer.data, at);
    memcpy(message + at, "\x1b\x7f\xff\xff\xff\xff\xff\xff\xff", 9);
    CU_ASSERT_EQUAL(decode(message, at + 9, NULL), MP_MALFORMED);
    CU_ASSERT_EQUAL(decode(buffer.data, buffer.size, NULL), MP_OK);
    mp__buffer_fini(&buffer);
}

MP_CASE(depth_is_refused)
{
    static uint8_t message[100000];
    memset(message, 0x81, sizeof message);
    CU_ASSERT_EQUAL(decode(message, sizeof message, NULL), MP_TOO_LARGE);
    message[MP__DEPTH_MAX] = 0x01;
    CU_ASSERT_EQUAL(decode(message, MP__DEPTH_MAX + 1, NULL), MP_OK);
    message[MP__DEPTH_MAX] = 0x80;
    CU_ASSERT_EQUAL(decode(message, MP__DEPTH_MAX + 1, NULL), MP_TOO_LARGE);
    for (size_t i = 0; i + 1 < sizeof message; i += 2) { /* {1: {1: ... */
        message[i] = 0xa1;
        message[i + 1] = 0x01;
    }
    CU_ASSERT_EQUAL(decode(message, sizeof message, NULL), MP_TOO_LARGE);
    memset(message, 0xd9, sizeof message);
    CU_ASSERT_EQUAL(decode(message, sizeof message, &never), MP_MALFORMED);
}

/* Lists that announce as many items as there are bytes, in each other. */
MP_CASE(announcements_do_not_multiply)
{
    static uint8_t message[60 * 5 + 1000];
    for (size_t i = 0; i < 60; i++) {
        size_t left = sizeof message - 5 * (i + 1);
        const uint8_t head[5] = {0x9a, 0, 0, (uint8_t)(left >> 8), (uint8_t)left};
        memcpy(message + 5 * i, head, sizeof head);
    }
    CU_ASSERT_EQUAL(decode(message, sizeof message, NULL), MP_MALFORMED);
}

/* A dict of so many pairs, of which the last has the key of the first. */
static mp_status_t decode_duplicate(uint16_t pairs, bool duplicate)
{
    static uint8_t message[5 + 4 * UINT16_MAX];
    uint8_t *p = message;
    const uint8_t head[3] = {0xb9, (uint8_t)(pairs >> 8), (uint8_t)pairs};
    memcpy(p, head, sizeof head);
    p += sizeof head;
    for (uint16_t i = 0; i < pairs; i++, p += 4) {
        uint16_t key = duplicate && i == pairs - 1 ? 0 : i;
        const uint8_t pair[4] = {0x19, (uint8_t)(key >> 8), (uint8_t)key, 0xf6};
        memcpy(p, pair, sizeof pair);
    }
    return decode(message, (size_t)(p - message), NULL);
}

MP_CASE(duplicates_are_found_in_dicts_of_every_size)
{
    static const uint16_t sizes[] = {2, 3, 16, 17, 40, 128, 129, 255, 256, 1000, 5000, 65535};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CU_ASSERT_EQUAL(decode_duplicate(sizes[i], true), MP_MALFORMED);
        CU_ASSERT_EQUAL(decode_duplicate(sizes[i], false), MP_OK);
    }
}

/* The shortest possible pairs: the table to check the keys is bounded by them. */
MP_CASE(dicts_of_short_pairs_are_refused_cheaply)
{
    static uint8_t message[5 + 2 * 100000];
    const uint8_t head[5] = {0xba, 0, 1, 0x86, 0xa0};
    memcpy(message, head, sizeof head);
    for (size_t i = 5; i < sizeof message; i++)
        message[i] = 0xf6;
    CU_ASSERT_EQUAL(decode(message, sizeof message, NULL), MP_MALFORMED);
}

/* Many functions that are not there: resolving them must not ask for memory for each. */
MP_CASE(many_functions_are_refused_cheaply)
{
    static uint8_t message[5 + 5 * 10000];
    const uint8_t head[5] = {0x9a, 0, 0, 0x27, 0x10};
    memcpy(message, head, sizeof head);
    for (size_t i = 0; i < 10000; i++)
        memcpy(message + 5 + 5 * i, FUNCTION "\x61x", 5);
    CU_ASSERT_EQUAL(decode(message, sizeof message, NULL), MP_NOT_FOUND);
}

/* As many connections as a message can name, of which the first is not there. */
MP_CASE(many_connections_are_refused_cheaply)
{
    uint8_t message[3 + 5 * MP__CARRIED_MAX], *p = message;
    mp_test_refusal_t refusal = {0, MP_MALFORMED};
    mp__receiver_t receiver = mp_test_receiver(&refusal);
    *p++ = 0x99;
    *p++ = MP__CARRIED_MAX >> 8;
    *p++ = MP__CARRIED_MAX & 0xff;
    for (unsigned i = 0; i < MP__CARRIED_MAX; i++, p += i <= 24 ? 4 : 5) {
        memcpy(p, CONN, 3);
        p[3] = i < 24 ? (uint8_t)i : 0x18;
        if (i >= 24)
            p[4] = (uint8_t)i;
    }
    CU_ASSERT_EQUAL(decode(message, (size_t)(p - message), &receiver), MP_MALFORMED);
    CU_ASSERT_STRING_EQUAL(mp_error()->text, "nothing came with number 0");
}

/* ---- changed messages */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* Whatever a few changed bytes make of a good message: it is decoded or refused, and nothing else happens. */
MP_CASE(changed_messages_are_decoded_or_refused)
{
    uint64_t state = 88172645463325252u;
    uint32_t carried = 0;
    mp__carrier_t carrier = mp_test_carrier(&carried);
    mp__receiver_t receiver = mp_test_receiver(NULL);
    mp__handle_t *queue = mp_test_object(MP_KIND_QUEUE, 5), *conn = mp_test_object(MP_KIND_CONN, 0);
    mp_value_t v = mp_list(42, MP_NONE, "hello", mp_dict("key", mp_list(0.5, -1), 2, "two", 3, mp_range(0, 30)),
                           mp__of_object(MP_KIND_QUEUE, queue), mp__of_object(MP_KIND_CONN, conn), target,
                           mp_bytes("\x00\xff", 2), mp_list(mp_list(mp_dict(1, mp_dict())), "\xc3\xa9"));
    mp__buffer_t buffer;
    mp__buffer_init(&buffer);
    REQUIRE_OK(mp__encode(&v, &carrier, &buffer));
    int accepted = 0;
    for (int i = 0; i < 100000; i++) {
        uint8_t message[300];
        size_t size = buffer.size;
        CU_ASSERT_FATAL(size < sizeof message);
        memcpy(message, buffer.data, size);
        for (uint64_t changes = next_random(&state) % 4; changes > 0; changes--)
            message[next_random(&state) % size] = (uint8_t)next_random(&state);
        if (next_random(&state) % 8 == 0)
            size = next_random(&state) % size;
        accepted += decode(message, size, &receiver) == MP_OK;
    }
    CU_ASSERT(accepted > 1000 && accepted < 90000);
    CU_ASSERT_EQUAL(mp_test_objects_alive, 2);
    mp__buffer_fini(&buffer);
    mp__handle_release(queue);
    mp__handle_release(conn);
}

MP_CASES(MP_ROW(each_is_refused_with_its_status), MP_ROW(the_text_names_what_and_where),
         MP_ROW(objects_are_refused_without_a_receiver), MP_ROW(an_offset_outside_the_code_is_refused),
         MP_ROW(depth_is_refused), MP_ROW(announcements_do_not_multiply),
         MP_ROW(duplicates_are_found_in_dicts_of_every_size), MP_ROW(dicts_of_short_pairs_are_refused_cheaply),
         MP_ROW(many_functions_are_refused_cheaply), MP_ROW(many_connections_are_refused_cheaply),
         MP_ROW(changed_messages_are_decoded_or_refused));
