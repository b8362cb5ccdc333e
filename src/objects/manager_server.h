/* A request on its way through the server, and the operations on what is stored. */
#ifndef MP_OBJECTS_MANAGER_SERVER_H
#define MP_OBJECTS_MANAGER_SERVER_H

#include "objects/manager.h"
#include "objects/manager_store.h"

/* A dict or list of the server. */
typedef struct mp__stored {
    bool is_list;
    union {
        mp__table_t table;
        mp__row_t row;
    } as;
} mp__stored_t;

typedef struct mp__job {
    const int64_t *numbers;
    mp__bytes_t arguments[MP__REQUEST_ARGUMENTS]; /* as many as the operation takes, each found well formed */
    mp__stored_t *stored;                         /* of the kind that the operation is for */
    mp__buffer_t *out;                            /* the answer's value goes here; nothing: None */
} mp__job_t;

typedef struct mp__server_operation {
    mp_status_t (*run)(mp__job_t *job);
    size_t arguments;
} mp__server_operation_t;

/* Those of dicts and lists, from MP__OP_DICT_SET, MP__OP_LIST_GET on. */
extern const mp__server_operation_t mp__dict_operations[];
extern const mp__server_operation_t mp__list_operations[];

/* Answers a whole number, or a bool. */
mp_status_t mp__answer_size(mp__job_t *job, size_t n);
mp_status_t mp__answer_bool(mp__job_t *job, bool truth);

#endif
