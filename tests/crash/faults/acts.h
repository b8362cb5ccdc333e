/* What is played: the acts of each role. */
#ifndef MP_TEST_ACTS_H
#define MP_TEST_ACTS_H

#include "stage.h"

typedef enum role { PRODUCER, CONSUMER, WAITER, WAKER, MAKER, MEMBER, RECOVERER, SWEEPER, ROLES } role_t;

extern const char *const role_names[ROLES];

typedef struct act {
    role_t role;
    const char *name;
    mp_queue_options_t options; /* the queue's */
    bool letters;
    bool dropped;                      /* items may be dropped */
    bool slow;                         /* no label is tried more than once a side */
    void (*before)(stage_t *stage);    /* the case's; may be NULL */
    void (*prepare)(stage_t *stage);   /* the victim's, in which it does not die; may be NULL */
    void (*run)(stage_t *stage);       /* the victim's */
    void (*survivor)(stage_t *stage);  /* another player's, who is asleep in it (or says that it is ready) before the
                                          victim acts, and must come to its end; may be NULL */
    void (*meanwhile)(stage_t *stage); /* the case's, once the victim sleeps, or after its end; may be NULL */
    void (*after)(stage_t *stage); /* the case's, after the victim's end: what the survivor waits for; may be NULL */
    void (*first)(stage_t *stage); /* another one's, who dies before the victim acts: anywhere in it, or with `last`
                                      at its end. May be NULL */
    bool last;
    bool born; /* the victim may die from its first moment on, and is done when it has left */
} act_t;

extern const act_t acts[];
extern const size_t act_count;

#endif
