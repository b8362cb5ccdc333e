/*
 * Managers: what their rooms know of each other.
 *
 * A manager is an object of the arena (kind MANAGER) whose body says which process serves, and a queue of requests;
 * both belong to the process that started it. A call puts a request there and takes the answer from a reply queue of
 * the caller's own process, which the request names. An answer to a caller that is gone ends at that queue.
 */
#ifndef MP_OBJECTS_MANAGER_H
#define MP_OBJECTS_MANAGER_H

#include <multiproc/manager.h>

#include "objects/queue.h"
#include "objects/shared.h"

/* What can be asked for; behind each: its encoded arguments / its numbers / its answer; "-": none (an answer: None). */
typedef enum mp__operation {
    MP__OP_PING,            /* - */
    MP__OP_NEW_DICT,        /* dict / - / the new object's number */
    MP__OP_NEW_LIST,        /* list / - / the new object's number */
    MP__OP_DICT_SET,        /* key, value */
    MP__OP_DICT_GET,        /* key / - / value */
    MP__OP_DICT_GET_OR,     /* key, otherwise / - / value */
    MP__OP_DICT_SETDEFAULT, /* key, otherwise / - / value */
    MP__OP_DICT_DEL,        /* key */
    MP__OP_DICT_POP,        /* key / - / value */
    MP__OP_DICT_POP_OR,     /* key, otherwise / - / value */
    MP__OP_DICT_POPITEM,    /* - / - / [key, value] */
    MP__OP_DICT_CONTAINS,   /* key / - / bool */
    MP__OP_DICT_UPDATE,     /* dict */
    MP__OP_DICT_ADD,        /* key, number / - / sum */
    MP__OP_DICT_LEN,        /* - / - / int */
    MP__OP_DICT_KEYS,       /* - / - / list */
    MP__OP_DICT_VALUES,     /* - / - / list */
    MP__OP_DICT_ITEMS,      /* - / - / list of [key, value] */
    MP__OP_DICT_COPY,       /* - / - / dict */
    MP__OP_DICT_CLEAR,      /* - */
    MP__OP_LIST_GET,        /* - / index / value */
    MP__OP_LIST_SET,        /* value / index */
    MP__OP_LIST_DEL,        /* - / index */
    MP__OP_LIST_APPEND,     /* value */
    MP__OP_LIST_EXTEND,     /* list */
    MP__OP_LIST_INSERT,     /* value / index */
    MP__OP_LIST_POP,        /* - / index / value */
    MP__OP_LIST_REMOVE,     /* value */
    MP__OP_LIST_INDEX,      /* value / start, stop / int */
    MP__OP_LIST_COUNT,      /* value / - / int */
    MP__OP_LIST_CONTAINS,   /* value / - / bool */
    MP__OP_LIST_ADD,        /* number / index / sum */
    MP__OP_LIST_LEN,        /* - / - / int */
    MP__OP_LIST_COPY,       /* - / - / list */
    MP__OP_LIST_SLICE,      /* - / start, stop, step / list */
    MP__OP_LIST_SET_SLICE,  /* list / start, stop, step */
    MP__OP_LIST_DEL_SLICE,  /* - / start, stop, step */
    MP__OP_LIST_REVERSE,    /* - */
    MP__OP_LIST_SORT,       /* - / 1: descending */
    MP__OP_LIST_CLEAR,      /* - */
    MP__OPERATIONS
} mp__operation_t;

#define MP__REQUEST_ARGUMENTS 2
#define MP__REQUEST_NUMBERS   3

/* What a request's bytes begin with; its arguments follow, one encoded value behind the other. */
typedef struct mp__request {
    uint32_t operation; /* an mp__operation_t */
    uint32_t reserved;
    uint64_t item;   /* the dict's or list's number */
    uint64_t serial; /* the caller's; the answer repeats it */
    int64_t numbers[MP__REQUEST_NUMBERS];
    mp__reference_t reply; /* the queue for the answer */
} mp__request_t;

/* What an answer's bytes begin with; the encoded value follows, or the error's text. */
typedef struct mp__answer {
    uint64_t serial;
    uint32_t status; /* an mp_status_t */
    uint32_t reserved;
} mp__answer_t;

/* What this process's managers and proxies begin with: how to reach the server. */
typedef struct mp__client {
    mp__shared_t shared; /* the header is the manager's, also a proxy's */
    mp_queue_t *requests;
    mp__peer_t server;
} mp__client_t;

typedef struct mp__proxy mp__proxy_t;

struct mp__proxy {
    mp__client_t client;
    mp_manager_t *manager; /* whose end here is its own; NULL: nobody's */
    mp__proxy_t *next;     /* of that manager's */
    mp__proxy_t *previous;
};

struct mp_dict {
    mp__proxy_t proxy;
};

struct mp_list {
    mp__proxy_t proxy;
};

/* ---- manager.c */

/* A holder (mp_manager_t, mp_dict_t, mp_list_t) of what a reference to a manager, and for the latter the item's number,
 * name. */
mp_status_t mp__manager_open(mp_kind_t kind, const mp__reference_t *reference, uint64_t item, void **object);

/* In a fork's child. */
void mp__managers_forget(void);

/* ---- manager_call.c */

/* What to ask. */
typedef struct mp__question {
    mp__operation_t operation;
    uint64_t item;
    const mp_value_t *arguments[MP__REQUEST_ARGUMENTS]; /* NULL: no more */
    int64_t numbers[MP__REQUEST_NUMBERS];
} mp__question_t;

/* Asks and waits. *answer (may be NULL) is None on failure. */
mp_status_t mp__manager_call(const mp__client_t *client, const mp__question_t *question, mp_value_t *answer);

/* mp__manager_call for a dict or list (the question's item is filled in). MP_INVALID: it is none. */
mp_status_t mp__proxy_call(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, mp_value_t *answer);

/* The same for what the caller must have a place for, of that type. */
mp_status_t mp__proxy_value(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, mp_value_t *answer);
mp_status_t mp__proxy_size(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, size_t *answer);
mp_status_t mp__proxy_bool(const mp__proxy_t *proxy, mp_kind_t kind, mp__question_t *question, bool *answer);

/* Reply queues that wait for their next use are kept while this process has a manager or proxy. */
void mp__replies_hold(void);
void mp__replies_release(void);

/* ---- manager_server.c */

/* What the server process runs, until the queue of requests, its argument 0, ends. */
mp_status_t mp__manager_serve(mp_call_t *call);

#endif
