/*
 * mp_soak SECONDS [--seed N]: kills random participants of a mixed load, starts others in their place, and
 * judges at the end by the ledger: every item whose put returned was received exactly once, but for at most one
 * in-flight get of each killed consumer; of each killed producer at most one more item came; nobody hung; nothing is
 * left in the arena.
 */
#include "soak.h"

#include "family/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BOUND       64u
#define LONGEST_GAP 800u /* milliseconds between two kills */

static const struct {
    const char *name;
    unsigned count; /* that run at a time */
} roles[SOAK_ROLES] = {{"producer", 2}, {"consumer", 2}, {"locker", 2}, {"allocator", 1}, {"manager", 1}, {"pool", 1}};

#define RUNNING 9u /* the sum of these counts */

typedef struct participant {
    mp_process_t *process;
    soak_role_t role;
    uint32_t number;
    uint64_t seen;   /* operations when it was last looked at */
    double moved_at; /* when they last rose */
} participant_t;

typedef struct soak {
    mp_queue_t *queue;
    mp_lock_t *lock;
    soak_ledger_t *ledger;
    uint64_t ledger_name;
    uint64_t random;
    uint64_t blocks; /* in use before */
    uint32_t started;
    unsigned kills[SOAK_ROLES];
    unsigned gets_in_flight; /* of killed consumers */
    unsigned hangs;
    uint8_t killed[SOAK_WORKERS];
    participant_t participants[RUNNING];
} soak_t;

static void check(mp_status_t status, const char *what)
{
    char text[512];
    if (status == MP_OK)
        return;
    fprintf(stderr, "mp_soak: %s\n", mp_error_format(text, sizeof text, what));
    exit(1);
}

/* ---- the participants */

static void start(soak_t *soak, participant_t *p, soak_role_t role)
{
    const char *const *methods = mp_all_start_methods();
    size_t n = 0;
    while (methods[n])
        n++;
    *p = (participant_t){NULL, role, soak->started++, 0, mp_now()};
    check(mp_set_start_method(methods[soak_below(&soak->random, n)], true), "set the start method");
    check(mp_process_start(&p->process, soak_works[role],
                           mp_args(soak->queue, soak->lock, soak->ledger_name, p->number, soak_random(&soak->random))),
          "start a worker");
}

static void kill_one(soak_t *soak, participant_t *p)
{
    const soak_worker_t *worker = &soak->ledger->workers[p->number];
    check(mp_process_kill(p->process), "kill a worker");
    check(mp_process_join(p->process, SOAK_PATIENCE), "join a killed worker");
    check(mp_process_close(p->process), "close a killed worker");
    soak->kills[p->role]++;
    soak->killed[p->number] = 1;
    if (p->role == SOAK_CONSUMER && worker->begun != worker->returned)
        soak->gets_in_flight++;
}

/* Does each of them get on? */
static void look_after(soak_t *soak)
{
    for (unsigned i = 0; i < RUNNING; i++) {
        participant_t *p = &soak->participants[i];
        uint64_t returned = mp__load64(&soak->ledger->workers[p->number].returned);
        if (returned != p->seen) {
            p->seen = returned;
            p->moved_at = mp_now();
        } else if (mp_now() - p->moved_at > SOAK_PATIENCE) {
            fprintf(stderr, "mp_soak: %s %u hangs\n", roles[p->role].name, p->number);
            soak->hangs++;
            p->moved_at = mp_now();
        }
    }
}

static void begin(soak_t *soak, uint64_t seed)
{
    soak->random = seed;
    check(mp_queue_create(&soak->queue, BOUND), "make a queue");
    check(mp_lock_create(&soak->lock), "make a lock");
    soak->blocks = mp__blocks_in_use();
    check(mp__block_alloc(sizeof *soak->ledger, mp__owner_process(mp__family.process), &soak->ledger_name),
          "make the ledger");
    soak->ledger = mp__block_at(soak->ledger_name, NULL);
    memset(soak->ledger, 0, sizeof *soak->ledger);
    participant_t *p = soak->participants;
    for (int role = 0; role < SOAK_ROLES; role++)
        for (unsigned i = 0; i < roles[role].count; i++)
            start(soak, p++, (soak_role_t)role);
}

static bool goes_on(const soak_t *soak, double until)
{
    return mp_now() < until && !soak->hangs && !mp__load32(&soak->ledger->faults) && soak->started < SOAK_WORKERS &&
           mp__load32(&soak->ledger->series_used) < SOAK_SERIES - RUNNING;
}

static void run(soak_t *soak, double until)
{
    while (goes_on(soak, until)) {
        mp_sleep((double)soak_below(&soak->random, LONGEST_GAP) / 1000);
        participant_t *victim = &soak->participants[soak_below(&soak->random, RUNNING)];
        soak_role_t role = victim->role;
        kill_one(soak, victim);
        start(soak, victim, role);
        look_after(soak);
    }
}

/* Those who are to stop do so, or hang. */
static void join(soak_t *soak, bool consumers)
{
    for (unsigned i = 0; i < RUNNING; i++) {
        participant_t *p = &soak->participants[i];
        if ((p->role == SOAK_CONSUMER) != consumers)
            continue;
        if (mp_process_join(p->process, SOAK_PATIENCE) != MP_OK) {
            fprintf(stderr, "mp_soak: %s %u does not stop\n", roles[p->role].name, p->number);
            soak->hangs++;
            mp_process_kill(p->process);
            mp_process_join(p->process, SOAK_PATIENCE);
        }
        mp_process_close(p->process);
    }
}

static void stop(soak_t *soak)
{
    static uint8_t bytes[SOAK_ITEM_MOST];
    size_t size = sizeof bytes;
    mp__store32(&soak->ledger->stop_producers, 1);
    join(soak, false);
    mp__store32(&soak->ledger->stop, 1);
    join(soak, true);
    for (; mp_queue_get_bytes(soak->queue, bytes, &size, 0) == MP_OK; size = sizeof bytes)
        if (!soak_receive(soak->ledger, bytes, size))
            soak->ledger->faults++;
}

/* ---- the verdict */

typedef struct verdict {
    uint64_t put, received, lost; /* whose put returned; of those; of those */
    uint64_t late;                /* received though the put never returned, its producer killed */
    uint64_t unknown;             /* received though nobody may have put it */
    uint64_t left;                /* blocks in the arena that nobody owns */
} verdict_t;

static void count_series(const soak_t *soak, const soak_series_t *series, verdict_t *verdict)
{
    for (uint32_t serial = 0; serial < SOAK_SERIALS; serial++) {
        bool received = series->received[serial / 64] >> serial % 64 & 1;
        if (serial < series->returned) {
            verdict->put++;
            verdict->received += received;
            verdict->lost += !received;
        } else if (received && serial < series->begun && soak->killed[series->producer]) {
            verdict->late++;
        } else if (received) {
            verdict->unknown++;
        }
    }
}

/* The dead are swept by those who come upon them; the last ones by nobody. */
static uint64_t count_left(soak_t *soak)
{
    double until = mp_now() + SOAK_PATIENCE;
    mp__block_free(soak->ledger_name);
    do {
        mp__sweep_the_dead();
        if (mp__blocks_in_use() <= soak->blocks)
            return 0;
        mp_sleep(0.05);
    } while (mp_now() < until);
    return mp__blocks_in_use() - soak->blocks;
}

static bool judge(soak_t *soak, double seconds)
{
    verdict_t v = {0};
    unsigned kills = 0;
    soak_ledger_t *ledger = soak->ledger;
    for (uint32_t i = 0; i < ledger->series_used && i < SOAK_SERIES; i++)
        count_series(soak, &ledger->series[i], &v);
    for (int role = 0; role < SOAK_ROLES; role++) {
        printf("killed %s %u\n", roles[role].name, soak->kills[role]);
        kills += soak->kills[role];
    }
    uint32_t faults = ledger->faults;
    uint64_t twice = ledger->twice, owner_deaths = ledger->owner_deaths, rounds = ledger->halves[0];
    v.left = count_left(soak);
    printf("kills %u in %.0f s, %.0f a minute\n", kills, seconds, kills * 60 / seconds);
    printf("items put %llu, received %llu, twice %llu, unknown %llu\n", (unsigned long long)v.put,
           (unsigned long long)v.received, (unsigned long long)twice, (unsigned long long)v.unknown);
    printf("lost %llu, of at most %u gets in flight; put though killed before the return: %llu\n",
           (unsigned long long)v.lost, soak->gets_in_flight, (unsigned long long)v.late);
    printf("lock taken %llu times, after a death %llu\n", (unsigned long long)rounds, (unsigned long long)owner_deaths);
    printf("hangs %u, faults %u, blocks left in the arena %llu\n", soak->hangs, faults, (unsigned long long)v.left);
    return v.lost <= soak->gets_in_flight && !twice && !v.unknown && !soak->hangs && !faults && !v.left;
}

int main(int argc, char **argv)
{
    static soak_t soak;
    mp_freeze_support(argc, argv);
    double seconds = argc > 1 ? atof(argv[1]) : 0;
    uint64_t seed = (uint64_t)time(NULL) * 2654435761u + 1;
    if (argc == 4 && strcmp(argv[2], "--seed") == 0)
        seed = strtoull(argv[3], NULL, 10);
    if (!(seconds > 0) || !seed || (argc != 2 && argc != 4)) {
        fprintf(stderr, "usage: mp_soak SECONDS [--seed N]\n");
        return 2;
    }
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    double began = mp_now();
    begin(&soak, seed);
    run(&soak, began + seconds);
    seconds = mp_now() - began;
    stop(&soak);
    bool good = judge(&soak, seconds);
    check(mp_queue_close(soak.queue), "close the queue");
    check(mp_lock_close(soak.lock), "close the lock");
    printf("%s\n", good ? "good" : "BROKEN");
    return good ? 0 : 1;
}
