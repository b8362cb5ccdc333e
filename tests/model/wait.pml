/*
 * Waiting at an object: src/family/wait.h, wait.c, park.c, and what mp_queue_get() does around it (look, announce, look
 * again, sleep, hand on). Processes 0 and 1 take things, for ever; 2 gives some. With -DALL nothing is
 * taken: who sees the one thing is content, as at an event or at an object's end.
 *
 * Holds: when nothing moves any more, nothing lies there while somebody waits for it.
 */
#define N      3
#define TAKERS 2
#ifndef EACH
#define EACH 2 /* things that a giver gives */
#endif

#include "deaths.inc"

#define NOW  1 /* MP__WAIT_NOW, _EVER, _STEP */
#define EVER 2
#define STEP 4

byte word;
byte things;
byte seen[N];

#ifdef ALL
#define CLEARED (NOW | EVER)
#else
#define CLEARED NOW
#endif

#define LEFT (things > 0)

#ifdef BELLS
/* Where the system cannot park on shared words: a bit of the word's bucket, the slot's `parked`, and its bell. */
byte bits;
bool parked[N];
bool bell[N];

#define PARKED  parked[me] = false; bell[me] = false

/* mp__park, sleep_on_bell */
inline park()
{
    atomic { parked[me] = true };
    atomic { bits = bits | (1 << me) };
waiting:
    atomic {
        if
        :: word != seen[me] -> goto leaving
        :: else
        fi
    };
    atomic {
        if
        :: !parked[me] -> goto leaving
        :: else
        fi
    };
    atomic {
        asleep[me] = true;
end_bell:
        if
        :: bell[me] -> bell[me] = false; asleep[me] = false; goto waiting
        :: SLICE -> asleep[me] = false
        :: me == 0 -> asleep[me] = false; late = true
        fi
    };
leaving:
    atomic { bits = bits & ~(1 << me) };
    atomic { parked[me] = false; seen[me] = 0 }
}

/* ring_sleepers, ring */
inline wake()
{
    atomic { copy = bits; i = 0 }
    do
    :: atomic { i < TAKERS && !(copy & (1 << i)) -> i++ }
    :: atomic { i < TAKERS && (copy & (1 << i)) && !parked[i] -> i++ }
    :: atomic { i < TAKERS && (copy & (1 << i)) && parked[i] -> parked[i] = false }
       atomic {
        bell[i] = true;
        i++;
#ifndef ALL
        break
#endif
       }
    :: atomic { i == TAKERS -> break }
    od;
    atomic { copy = 0; i = 0 }
}
#else
#define PARKED

/* mp__park, mp__os_word_wait: the comparison and going to sleep are one step. The deadline of process 0 may pass. */
inline park()
{
    atomic {
        asleep[me] = (word == seen[me]);
        seen[me] = 0;
end_asleep:
        if
        :: !asleep[me]
        :: SLICE -> asleep[me] = false
        :: me == 0 && asleep[me] -> asleep[me] = false; late = true
        fi
    }
}

inline wake()
{
    atomic {
#ifdef ALL
        wake_all()
#else
        wake_one()
#endif
    }
}
#endif

/* mp__wait_notify, _notify_all, mp__wait_wake: the copy of the word is 0 once nobody is to be woken. */
inline notify()
{
    atomic { copy = word }
    do
    :: atomic { (copy & CLEARED) && word != copy -> copy = word }
    :: atomic { (copy & CLEARED) && word == copy -> word = (copy + STEP) & ~CLEARED; copy = 0; goto waking }
    :: atomic { !(copy & CLEARED) -> copy = 0; goto notified }
    od;
waking:
#ifndef DROP_WAKE
    wake();
#endif
notified:
    skip
}

inline announce()
{
    word = word | NOW | EVER;
    seen[me] = word
}

active [N] proctype member()
{
    byte me = _pid - 1;
    byte copy, i, given;
    bool late, slept;
    {
        if
        :: me >= TAKERS -> goto giving
        :: else
        fi;
taking:
        atomic {
            LOOK;
            if
#ifdef ALL
            :: LEFT -> goto over
#else
            :: LEFT -> things--; goto taken
#endif
            :: else
            fi;
        }
        atomic { announce() }
        atomic {
            LOOK;
            if
#ifndef NO_RECHECK
#ifdef ALL
            :: LEFT -> goto over
#else
            :: LEFT -> things--; seen[me] = 0; goto taken
#endif
            :: !LEFT && late -> goto over /* after one last look */
            :: !LEFT && !late
#else
            :: late -> goto over
            :: !late
#endif
            fi
        }
        park();
        slept = true;
        goto taking;
taken:
        /* hand_on: who was woken wakes the next, if something is left for it. */
        atomic {
            late = false;
            if
            :: !slept -> goto taking
            :: else -> slept = false; announce(); seen[me] = 0
            fi
        }
        atomic {
            if
            :: LEFT -> goto telling
            :: else -> goto taking
            fi
        }
giving:
        atomic {
            if
            :: given < EACH -> given++; things++
            :: else -> given = 0; goto over
            fi
        }
telling:
        notify();
        atomic {
            if
            :: me < TAKERS -> goto taking
            :: else -> goto giving
            fi
        }
    } unless {
        atomic {
            DIES;
            PARKED;
            seen[me] = 0;
            copy = 0;
            i = 0;
            given = 0;
            late = false;
            slept = false
        }
    };
over:
    atomic { alive[me] = alive[me] && me >= TAKERS } /* a taker that is gone waits for nothing */
}

#define SOMEBODY_WAITS (alive[0] || alive[1])

active proctype judge()
{
    timeout -> assert(!LEFT || !SOMEBODY_WAITS)
}
