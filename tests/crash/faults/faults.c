/*
 * Killed at every label, in every role: each act is played once to see which labels its victim comes to, then again for
 * each of them and for both sides, and the victim dies there. The survivors go on within two seconds, the ledger holds,
 * nothing is left over. It prints a table, labels x roles.
 *
 * In the environment:
 *   MP_TEST_FAULTS      "each": each label in each role and on each side once, then others as far as the time goes;
 *                       "all": all places, acts and times; "sample": some, by chance, as far as the time goes. Where
 *                       nothing forks, starting processes is slow, and it is a sample unless told otherwise.
 *   MP_TEST_FAULT_SEED  a number
 *   MP_TEST_FAULT_ACT   a role or a part of an act's name, to try only that
 *   MP_TEST_FAULT_AGAIN what stands in brackets behind a broken try, to repeat only that
 */
#include "acts.h"

#include "family/alloc.h"
#include "harness.h"
#include "random.h"
#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIME         20.0 /* seconds, with finding the places */
#define ACTS_MOST    200
#define ATTEMPTS     3 /* at a place that the victim does not come to every time */
#define FIRST_PLACES 2 /* of a first death before each second one */
#define BROKEN_MOST  10

typedef struct cell {
    unsigned killed;
    unsigned missed; /* did not come there when it was to be killed */
    unsigned broken;
    unsigned sides;  /* at which somebody was killed, as bits */
    unsigned firsts; /* of the sum: first deaths in looking for places of second ones */
} cell_t;

static cell_t sum;
static enum { SAMPLE, EACH, ALL } extent;

static const mp_test_fate_t nowhere = {MP_TEST_NOWHERE, 0, 0};

static stage_t stage;
static uint64_t board_name;
static uint64_t random_state;

/* ---- the players */

static void take_part(stage_t *own, const act_t *act)
{
    board_t *board = own->board;
    mp_test_witness_t *witness = &board->witness[own->self];
    if (own->self == SURVIVOR) {
        act->survivor(own);
        return;
    }
    if (own->self == VICTIM && act->prepare)
        act->prepare(own);
    mp__store32(&board->ready[own->self], 1);
    while (own->self == VICTIM && !mp__load32(&board->go))
        mp__os_yield();
    if (own->self == VICTIM && act->born)
        mp_test_fate_tell(witness);
    else
        mp_test_fate_begin(own->fate, witness);
    own->self == VICTIM ? act->run(own) : act->first(own);
    if (own->self == FIRST && act->last)
        mp_test_die_now(witness);
    if (!act->born)
        mp_test_fate_end();
}

static mp_status_t player(mp_call_t *call)
{
    const act_t *act = &acts[mp_arg_uint(call, 0)];
    stage_t own = {
        .self = (player_t)mp_arg_uint(call, 1),
        .board = mp__block_at(mp_arg_uint(call, 2), NULL),
        .options = act->options,
        .fate = {(uint32_t)mp_arg_uint(call, 3), (uint32_t)mp_arg_uint(call, 4), (uint32_t)mp_arg_uint(call, 5)},
        .queue = mp_arg_queue(call, 6),
        .letters = mp_arg_queue(call, 7),
        .lock = mp_arg_lock(call, 8),
        .rlock = mp_arg_rlock(call, 9),
        .plain = mp_arg_semaphore(call, 10),
        .owned = mp_arg_semaphore(call, 11),
        .event = mp_arg_event(call, 12),
        .orphan = mp_arg_event(call, 13),
        .condition = mp_arg_condition(call, 14),
        .barrier = mp_arg_barrier(call, 15),
        .value = mp_arg_shared_value(call, 16),
        .memory = mp_arg_shared_memory(call, 17),
        .list = mp_arg_shareable_list(call, 18)};
    stage_is_players();
    HOLDS(own.board && mp_call_status(call) == MP_OK && mp__family_join() == MP_OK);
    own.board->self[own.self] = mp__self;
    take_part(&own, act);
    mp__store32(&own.board->over[own.self], 1);
    return MP_OK;
}

static mp_status_t nothing(mp_call_t *call)
{
    (void)call;
    return MP_OK;
}

static mp_status_t try_start(mp_process_t **process, const act_t *act, player_t self, mp_test_fate_t fate)
{
    return mp_process_start(process, player,
                            mp_args((uint64_t)(act - acts), (int)self, board_name, fate.label, fate.side, fate.nth,
                                    stage.queue, stage.letters, stage.lock, stage.rlock, stage.plain, stage.owned,
                                    stage.event, stage.orphan, stage.condition, stage.barrier, stage.value,
                                    stage.memory, stage.list));
}

/* What only pretends to be a system fails to start a process now and then, when it has much to do. */
static mp_status_t start_patiently(mp_process_t **process, const act_t *act, player_t self, mp_test_fate_t fate)
{
    mp_status_t status = try_start(process, act, self, fate);
    for (int i = 0; i < 3 && status == MP_SYSTEM && mp_test_emulator(); i++)
        status = try_start(process, act, self, fate);
    return status;
}

static mp_process_t *start(const act_t *act, player_t self, mp_test_fate_t fate)
{
    mp_process_t *process = NULL;
    HOLDS(start_patiently(&process, act, self, fate) == MP_OK);
    return process;
}

/* Reaps it. Whoever did not die came to the end. */
static void join(mp_process_t *process, player_t self)
{
    int code = -1000;
    bool dead = mp__load32(&stage.board->witness[self].dead) != 0;
    if (!process)
        return;
    bool ended = mp_process_join(process, soon()) == MP_OK;
    HOLDS(ended);
    if (!ended)
        mp_process_kill(process);
    HOLDS(mp_process_join(process, MP_FOREVER) == MP_OK && mp_process_exitcode(process, &code) == MP_OK);
    HOLDS(dead ? code != 0 && code != MP_CHECK_FAILED : code == 0);
    HOLDS(mp_process_close(process) == MP_OK);
}

/* ---- what the case waits for */

/* At a word, or elsewhere, with somebody who listens for it. */
static bool asleep(player_t self)
{
    uint64_t thread = stage.board->self[self];
    const mp__thread_slot_t *slot = &mp__family.threads[mp__low(thread) - 1];
    return thread && (mp__load64(&slot->parked) || mp__load32(&slot->porter));
}

static bool is_dead(player_t self)
{
    return stage.board->self[self] && mp__thread_dead(stage.board->self[self]);
}

/* Dead for all to see: until then a survivor may sleep for a slice. */
static bool has_ended(player_t self)
{
    return mp__load32(&stage.board->over[self]) || is_dead(self);
}

static bool victim_is_ready(void)
{
    return mp__load32(&stage.board->ready[VICTIM]) || has_ended(VICTIM);
}

static bool survivor_is_ready(void)
{
    return asleep(SURVIVOR) || has_ended(SURVIVOR) || mp__load32(&stage.board->ready[SURVIVOR]);
}

static bool first_is_dead(void)
{
    return is_dead(FIRST);
}

static bool victim_has_ended(void)
{
    return has_ended(VICTIM);
}

static bool victim_stands(void)
{
    return asleep(VICTIM) || has_ended(VICTIM);
}

static void await(bool (*what)(void))
{
    double end = mp_now() + soon() + soon();
    while (!what() && mp_now() < end)
        mp__os_yield();
    HOLDS(what());
}

/* ---- a try */

static void play_victim(const act_t *act, mp_process_t *survivor, bool reaped_first, mp_process_t *victim)
{
    if (act->meanwhile) {
        await(victim_stands);
        act->meanwhile(&stage);
    }
    await(victim_has_ended);
    if (reaped_first)
        join(victim, VICTIM);
    if (act->after)
        act->after(&stage);
    join(survivor, SURVIVOR);
    stage_check(&stage);
    if (!reaped_first)
        join(victim, VICTIM);
}

/* Who is born to die may come to no `over`, or not be started at all. */
static void play_newborn(const act_t *act, mp_test_fate_t fate)
{
    int code = 0;
    mp_process_t *process = NULL;
    mp__store32(&stage.board->go, 1);
    mp_test_fate_of_children(fate);
    mp_status_t status = start_patiently(&process, act, VICTIM, fate);
    mp_test_fate_of_children_end();
    HOLDS(status == MP_OK || status == MP_DIED);
    if (process) {
        HOLDS(mp_process_join(process, soon()) == MP_OK && mp_process_exitcode(process, &code) == MP_OK);
        HOLDS(code != MP_CHECK_FAILED);
        HOLDS(mp_process_close(process) == MP_OK);
    }
    stage.board->witness[VICTIM].dead = status != MP_OK || code != 0;
    stage_check(&stage);
}

static void play_all(const act_t *act, mp_test_fate_t first_fate, mp_test_fate_t fate)
{
    mp_process_t *survivor = NULL, *first = NULL;
    mp_process_t *victim = start(act, VICTIM, fate);
    await(victim_is_ready);
    if (act->survivor) {
        survivor = start(act, SURVIVOR, nowhere);
        await(survivor_is_ready);
    }
    if (act->first) {
        first = start(act, FIRST, first_fate);
        await(first_is_dead);
    }
    mp__store32(&stage.board->go, 1);
    /* Survivors must do without anybody's reaping, too; but then they may sleep on for a slice. */
    play_victim(act, survivor, act->survivor && fate.side == MP_TEST_AFTER, victim);
    join(first, FIRST);
}

/* The place, for messages. */
static const char *tell_place(char *text, size_t size, mp_test_fate_t fate)
{
    if (fate.label == MP_TEST_NOWHERE) {
        snprintf(text, size, "nowhere");
    } else {
        const mp_test_point_t *label = mp_test_label(fate.label);
        snprintf(text, size, "%s %s:%d (%s in %s), time %u", fate.side == MP_TEST_BEFORE ? "before" : "after",
                 mp_test_file_of(label), label->line, label->operation, label->function, fate.nth);
    }
    return text;
}

static void try_once(const act_t *act, mp_test_fate_t first, mp_test_fate_t fate)
{
    static char text[600];
    char places[2][200];
    snprintf(text, sizeof text, "%s, %s: killed %s; first %s [%u/%u,%u,%u/%u,%u,%u]", role_names[act->role], act->name,
             tell_place(places[0], sizeof places[0], fate), tell_place(places[1], sizeof places[1], first),
             (unsigned)(act - acts), first.label, first.side, first.nth, fate.label, fate.side, fate.nth);
    stage_tries(text);
    stage_set(&stage, &act->options, act->letters);
    if (act->before)
        act->before(&stage);
    act->born ? play_newborn(act, fate) : play_all(act, first, fate);
    stage_settle(&stage, act->dropped);
    stage_clear(&stage);
}

/* ---- which are to be tried */

typedef struct attempt {
    uint32_t act;
    uint32_t again; /* how many in the same role at the same label and side come before it */
    mp_test_fate_t first;
    mp_test_fate_t fate;
} attempt_t;

static attempt_t *attempts;
static size_t attempt_count;

static void add_attempt(const act_t *act, mp_test_fate_t first, mp_test_fate_t fate)
{
    static size_t room;
    if (attempt_count == room) {
        room = room ? 2 * room : 1024;
        attempts = realloc(attempts, room * sizeof *attempts);
        HOLDS(attempts);
    }
    attempts[attempt_count++] = (attempt_t){(uint32_t)(act - acts), 0, first, fate};
}

/* Of n times the first two, one in the middle, and the last. */
static unsigned times_of(uint32_t n, uint32_t times[4])
{
    const uint32_t wanted[] = {1, 2, n / 2, n};
    unsigned count = 0;
    for (unsigned i = 0; i < 4; i++)
        if (wanted[i] >= 1 && wanted[i] <= n && (count == 0 || wanted[i] > times[count - 1]))
            times[count++] = wanted[i];
    return count;
}

typedef void (*visit_t)(const act_t *act, mp_test_fate_t first, mp_test_fate_t fate);

static void visit_places(const act_t *act, mp_test_fate_t first, const mp_test_witness_t *witness, visit_t visit)
{
    for (uint32_t label = 0; label < mp_test_label_count(); label++)
        for (uint32_t side = 0; side < MP_TEST_SIDES; side++) {
            uint32_t times[4];
            unsigned n = times_of(witness->hits[label][side], times);
            for (uint32_t i = 0; i < n && (i == 0 || !act->slow); i++)
                visit(act, first, (mp_test_fate_t){label, side, times[i]});
        }
}

/* Of the places of a second death: after which first ones it can be had. Two of them are kept, by chance. */
static struct {
    uint32_t seen;
    mp_test_fate_t firsts[FIRST_PLACES];
    mp_test_fate_t fates[FIRST_PLACES];
} seconds[MP_TEST_LABELS_MOST][MP_TEST_SIDES];

static void note_second(const act_t *act, mp_test_fate_t first, mp_test_fate_t fate)
{
    uint32_t i = seconds[fate.label][fate.side].seen++;
    (void)act;
    if (i >= FIRST_PLACES)
        i = (uint32_t)mp_test_below(&random_state, i + 1);
    if (i < FIRST_PLACES) {
        seconds[fate.label][fate.side].firsts[i] = first;
        seconds[fate.label][fate.side].fates[i] = fate;
    }
}

static mp_test_fate_t first_places[2 * MP_TEST_LABELS_MOST];
static size_t first_place_count;

static void note_first(const act_t *act, mp_test_fate_t first, mp_test_fate_t fate)
{
    (void)act;
    (void)first;
    if (fate.nth <= 2 && first_place_count < sizeof first_places / sizeof *first_places)
        first_places[first_place_count++] = fate;
}

/* The first one dies here or there: which labels does the next one come to? */
static void find_seconds(const act_t *act)
{
    size_t most = extent == SAMPLE ? 3 : SIZE_MAX;
    memset(seconds, 0, sizeof seconds);
    for (size_t i = 0; i < most && first_place_count > 0 && !stage_broken(); i++) {
        size_t chosen = (size_t)mp_test_below(&random_state, first_place_count);
        mp_test_fate_t first = first_places[chosen];
        first_places[chosen] = first_places[--first_place_count];
        try_once(act, first, nowhere);
        sum.firsts++;
        visit_places(act, first, &stage.board->witness[VICTIM], note_second);
    }
}

static void add_seconds(const act_t *act)
{
    for (uint32_t label = 0; label < mp_test_label_count(); label++)
        for (uint32_t side = 0; side < MP_TEST_SIDES; side++)
            for (uint32_t i = 0; i < seconds[label][side].seen && i < FIRST_PLACES; i++)
                add_attempt(act, seconds[label][side].firsts[i], seconds[label][side].fates[i]);
}

/* Plays it without a death, and notes where there can be one. */
static void explore(const act_t *act)
{
    try_once(act, nowhere, nowhere);
    if (!act->first || act->last) {
        visit_places(act, nowhere, &stage.board->witness[VICTIM], add_attempt);
        return;
    }
    first_place_count = 0;
    visit_places(act, nowhere, &stage.board->witness[FIRST], note_first);
    find_seconds(act);
    add_seconds(act);
}

/* ---- the table */

static cell_t table[MP_TEST_LABELS_MOST][ROLES];

static void print_cell(const cell_t *cell)
{
    char text[40];
    if (!cell->killed && !cell->missed && !cell->broken)
        snprintf(text, sizeof text, "-");
    else if (cell->broken)
        snprintf(text, sizeof text, "%u!%u", cell->killed, cell->broken);
    else
        snprintf(text, sizeof text, "%u", cell->killed);
    printf(" %9s", text);
}

static void print_row(uint32_t label)
{
    const mp_test_point_t *point = mp_test_label(label);
    char place[100];
    snprintf(place, sizeof place, "%s:%d", mp_test_file_of(point), point->line);
    printf("%-30s %-8s %-24.24s", place, point->operation + 4, point->function);
    for (int role = 0; role < ROLES; role++)
        print_cell(&table[label][role]);
    printf("\n");
}

static bool reached(uint32_t label)
{
    bool is = false;
    for (int role = 0; role < ROLES; role++)
        is = is || table[label][role].killed;
    return is;
}

static void print_table(void)
{
    unsigned count = 0;
    printf("%-64s", "label");
    for (int role = 0; role < ROLES; role++)
        printf(" %9s", role_names[role]);
    printf("\n");
    for (uint32_t label = 0; label < mp_test_label_count(); label++)
        if (reached(label)) {
            print_row(label);
            count++;
        }
    printf("%u labels; at %u of them, on shared state, %u were killed, and %u before that; not reached %u times; "
           "broken %u\n",
           mp_test_label_count(), count, sum.killed, sum.firsts, sum.missed, sum.broken);
}

/* Those on shared state which nobody came to. */
static unsigned count_forgotten(void)
{
    unsigned count = 0;
    for (uint32_t label = 0; label < mp_test_label_count(); label++)
        if (!reached(label) && !mp_test_excuse(mp_test_label(label))) {
            printf("FORGOTTEN ");
            print_row(label);
            count++;
        }
    return count;
}

/* ---- all of them */

static void count_attempt(const attempt_t *attempt)
{
    cell_t *cell = &table[attempt->fate.label][acts[attempt->act].role];
    bool killed = stage.board->witness[VICTIM].dead != 0;
    cell->killed += killed;
    cell->sides |= (unsigned)killed << attempt->fate.side;
    sum.killed += killed;
    cell->missed += !killed;
    sum.missed += !killed;
    cell->broken += stage_broken();
    sum.broken += stage_broken();
}

static void try_attempt(const attempt_t *attempt)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        try_once(&acts[attempt->act], attempt->first, attempt->fate);
        if (stage_broken() || stage.board->witness[VICTIM].dead)
            break;
    }
    count_attempt(attempt);
}

static int compare_attempts(const void *a, const void *b)
{
    const attempt_t *x = a, *y = b;
    return (x->again > y->again) - (x->again < y->again);
}

static void shuffle(void)
{
    static uint32_t numbers[ROLES][MP_TEST_LABELS_MOST][MP_TEST_SIDES];
    for (size_t i = attempt_count; i > 1; i--) {
        size_t j = (size_t)mp_test_below(&random_state, i);
        attempt_t swapped = attempts[i - 1];
        attempts[i - 1] = attempts[j];
        attempts[j] = swapped;
    }
    for (size_t i = 0; i < attempt_count; i++)
        attempts[i].again = numbers[acts[attempts[i].act].role][attempts[i].fate.label][attempts[i].fate.side]++;
    qsort(attempts, attempt_count, sizeof *attempts, compare_attempts);
}

static bool is_wanted(const act_t *act)
{
    const char *wanted = getenv("MP_TEST_FAULT_ACT");
    return !wanted || strcmp(wanted, role_names[act->role]) == 0 || strstr(act->name, wanted);
}

/* A sample takes the acts as chance will have it, for half of the time. */
static void explore_all(double end)
{
    size_t order[ACTS_MOST];
    CU_ASSERT_FATAL(act_count <= ACTS_MOST);
    for (size_t i = 0; i < act_count; i++) {
        size_t j = (size_t)mp_test_below(&random_state, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < act_count && sum.broken < BROKEN_MOST && (extent != SAMPLE || mp_now() < end); i++) {
        const act_t *act = &acts[extent == SAMPLE ? order[i] : i];
        if (is_wanted(act)) {
            explore(act);
            sum.broken += stage_broken();
        }
    }
}

static size_t try_all(double end)
{
    size_t tried = 0;
    for (size_t n = 0; n < attempt_count && sum.broken < BROKEN_MOST; n++) {
        const cell_t *cell = &table[attempts[n].fate.label][acts[attempts[n].act].role];
        bool new = !(cell->sides >> attempts[n].fate.side & 1);
        if (extent == ALL || (extent == EACH && new) || mp_now() < end) {
            try_attempt(&attempts[n]);
            tried++;
        }
    }
    return tried;
}

static size_t blocks_in_use(void)
{
    return (size_t)mp__blocks_in_use();
}

/* Makes what the library makes once and keeps. */
static void warm_up(void)
{
    mp_shared_value_t *value;
    mp_process_t *process;
    REQUIRE_OK(mp_set_start_method(mp__os_caps()->fork ? "fork" : "spawn", true));
    REQUIRE_OK(mp_shared_value_create(&value, MP_CTYPE_INT64));
    REQUIRE_OK(mp_shared_value_set_int(value, 1));
    REQUIRE_OK(mp_shared_value_close(value));
    REQUIRE_OK(mp_process_start(&process, nothing, mp_args()));
    REQUIRE_OK(mp_process_join(process, MP_FOREVER));
    REQUIRE_OK(mp_process_close(process));
    mp_test_arena_blocks = blocks_in_use;
    mp_test_baseline();
}

static void repeat(const char *text)
{
    unsigned act;
    mp_test_fate_t first, fate;
    CU_ASSERT_EQUAL_FATAL(sscanf(text, "%u/%u,%u,%u/%u,%u,%u", &act, &first.label, &first.side, &first.nth, &fate.label,
                                 &fate.side, &fate.nth),
                          7);
    CU_ASSERT_FATAL(act < act_count);
    try_once(&acts[act], first, fate);
    CU_ASSERT_FALSE(stage_broken());
}

static void choose(void)
{
    const char *faults = getenv("MP_TEST_FAULTS"), *seed = getenv("MP_TEST_FAULT_SEED");
    extent = mp__os_caps()->fork ? EACH : SAMPLE;
    if (faults)
        extent = strcmp(faults, "all") == 0 ? ALL : strcmp(faults, "each") == 0 ? EACH : SAMPLE;
    random_state = (seed ? strtoull(seed, NULL, 10) : 1) * 2 + 1;
}

static void try_all_acts(void)
{
    static const char *const extents[] = {"a sample", "each label in each role", "all"};
    double begun = mp_now(), explored;
    choose();
    uint64_t seed = random_state / 2;
    explore_all(begun + mp_test_seconds(TIME) / 2);
    explored = mp_now();
    shuffle();
    size_t n = try_all(begun + mp_test_seconds(TIME));
    print_table();
    printf("%s: %zu of %zu places tried, seed %llu, %.1f s (%.1f s to find them)\n", extents[extent], n, attempt_count,
           (unsigned long long)seed, mp_now() - begun, explored - begun);
    CU_ASSERT_EQUAL(sum.broken, 0);
    if (extent != SAMPLE && !getenv("MP_TEST_FAULT_ACT") && sum.broken == 0)
        CU_ASSERT_EQUAL(count_forgotten(), 0);
    free(attempts);
}

MP_CASE(every_label_in_every_role)
{
    const char *again = getenv("MP_TEST_FAULT_AGAIN");
    warm_up();
    REQUIRE_OK(mp__block_alloc(sizeof *stage.board, mp__owner_process(mp__family.process), &board_name));
    stage.board = mp__block_at(board_name, NULL);
    again ? repeat(again) : try_all_acts();
    mp__block_free(board_name);
}

MP_PROGRAM(labels)
{
    for (uint32_t label = 0; label < mp_test_label_count(); label++) {
        const mp_test_point_t *point = mp_test_label(label);
        printf("%s:%d %s\n", mp_test_file_of(point), point->line, point->operation);
    }
    return 0;
}

MP_GUARDED_CASES(MP_ROW(every_label_in_every_role), MP_SUB(labels));
