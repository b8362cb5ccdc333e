/*
 * The queue: src/objects/queue.c, its put side and its get side, each under its own lock, and the repair by whoever
 * finds a lock's holder dead. Processes 0 .. PUTTERS - 1 put, the others get, for ever. The chain of chunks is one row
 * of places here; what a place held before is JUNK. Taking a lock is one step (lock.pml is about that), and so are
 * looking at a wait's word and changing it (wait.pml).
 *
 * Holds: every item whose put returned is received exactly once, but for one that each killed getter may take along;
 * an item is whole; what one putter puts comes in order; both counts are exact under their lock; nobody sleeps for
 * ever.
 */
#ifndef N
#define N 3
#endif
#ifndef PUTTERS
#define PUTTERS 2
#endif
#ifndef EACH
#define EACH 1 /* items that a putter puts */
#endif
#ifndef BOUND
#define BOUND 1 /* items that the queue may hold */
#endif

#include "deaths.inc"

#define JUNK   0
#define END    255

#define PUT_SIDE 0 /* header.lock, and waits[NOT_FULL] */
#define GET_SIDE 1 /* header.second, and waits[NOT_EMPTY] */

#define PLACES (PUTTERS * EACH + 2)
byte word[PLACES] = { END, JUNK }; /* an item's: its number + 1 */
byte body[PLACES];
byte tail, puts;
byte head, gets;
byte lock[2]; /* the holder + 1 */
byte waits[2];
byte seen[N];

/* The ledger. */
byte returned[PUTTERS]; /* puts of each putter that returned */
byte taken[PUTTERS];   /* items of each putter that were taken, one after the other */
bool returns[N];  /* a getter that is about to return an item */
byte lost[N];     /* items that a killed getter took along */

#define NOW       1 /* MP__WAIT_NOW; the rest counts */
#define COUNT(w)  (((w) + 2) & 14)
#define GETTERS_LEFT (alive[N - 1] || (N - PUTTERS > 1 && alive[N - 2]))

#define FULL      (puts >= gets + BOUND)
#define HAS_MORE  (puts > gets)
#define ITEM(p, n) ((p) * 16 + (n) + 1)

/* What may be taken: a free lock, or a dead one's. */
#define FREE(side) (lock[side] == 0 || !alive[lock[side] - 1])

inline unlock(side)
{
    lock[side] = 0
}

/* repair_tail, follow_puts */
inline repair_tail()
{
    do
    :: atomic { word[tail] != END -> assert(word[tail] != JUNK); puts = word[tail] }
       atomic { tail++ }
    :: atomic { word[tail] == END -> break }
    od
}

/* repair_head */
inline repair_head()
{
    atomic {
        assert(word[head] != JUNK);
        if
        :: word[head] != END -> gets = word[head] - 1
        :: else
        fi
    }
}

/* lock_side: a free lock needs no repair. */
inline lock_side(side)
{
    atomic {
        FREE(side);
        if
        :: lock[side] == 0 -> lock[side] = me + 1; goto locked
        :: else -> lock[side] = me + 1
        fi
    }
}

/* mp__wait_announce */
inline announce(side)
{
    waits[side] = waits[side] | NOW;
    seen[me] = waits[side]
}

/* mp__wait_sleep */
inline sleep(side)
{
    asleep[me] = (waits[side] == seen[me]);
    seen[me] = 0;
end_asleep:
    if
    :: !asleep[me]
    :: SLICE -> asleep[me] = false
    fi;
    slept = true
}

#define WAITS(p, side) (asleep[p] && ((p) < PUTTERS) == (side == PUT_SIDE))

/* mp__wait_notify, mp__wait_wake */
inline notify(side)
{
    atomic {
        if
        :: waits[side] & NOW -> waits[side] = COUNT(waits[side] & ~NOW)
        :: else -> goto notified
        fi
    }
#ifndef DROP_WAKE
    atomic {
        if
        :: WAITS(0, side) -> asleep[0] = false
        :: WAITS(1, side) -> asleep[1] = false
        :: WAITS(2, side) -> asleep[2] = false
#if N > 3
        :: WAITS(3, side) -> asleep[3] = false
#endif
        :: else
        fi
    }
#endif
}

#ifdef COMMIT_FIRST
#define FIRST_STORE  word[tail] = puts + 1
#define SECOND_STORE body[tail] = ITEM(me, given)
#else
#define FIRST_STORE  body[tail] = ITEM(me, given)
#define SECOND_STORE word[tail] = puts + 1
#endif

active [PUTTERS] proctype putter()
{
    byte me = _pid - 1;
    byte given, wakes;
    bool slept;
trying: /* put_body, try_put */
    {
        lock_side(PUT_SIDE);
        repair_tail();
locked:
        atomic {
            LOOK;
            assert(puts == tail);
            if
            :: !FULL -> goto room
            :: else
            fi
        }
        atomic { announce(PUT_SIDE) }
#ifndef NO_RECHECK
        atomic {
            LOOK;
            if
            :: !FULL -> seen[me] = 0; goto room
            :: else
            fi
        }
#endif
        atomic { unlock(PUT_SIDE) }
        atomic { sleep(PUT_SIDE); goto trying }
room: /* append */
        atomic { FIRST_STORE };
        atomic { word[tail + 1] = END };
        atomic { SECOND_STORE };
        atomic { puts++ };
        atomic { tail++ };
        atomic { unlock(PUT_SIDE); wakes = GET_SIDE }
notifying:
        notify(wakes);
notified:
        atomic {
            if
            :: slept -> slept = false; wakes = PUT_SIDE; announce(PUT_SIDE); seen[me] = 0
            :: else -> goto done
            fi
        }
        atomic {
            if
            :: !FULL -> goto notifying /* hand_on */
            :: else
            fi
        }
done:
        atomic {
            wakes = 0;
            given++;
            returned[me] = given;
            if
            :: given < EACH -> goto trying
            :: else -> goto over
            fi
        }
    } unless {
        atomic {
            DIES;
            seen[me] = 0;
            wakes = 0;
            given = 0;
            slept = false
        }
    };
over:
    skip
}

active [N - PUTTERS] proctype getter()
{
    byte me = _pid - 1;
    byte got, wakes;
    bool slept;
trying: /* get, try_get */
    {
        lock_side(GET_SIDE);
        repair_head();
locked:
        atomic {
            LOOK;
            assert(gets == head && word[head] != JUNK);
            if
            :: word[head] != END -> goto item
            :: else
            fi
        }
        atomic { announce(GET_SIDE) }
#ifndef NO_RECHECK
        atomic {
            LOOK;
            if
            :: word[head] != END -> seen[me] = 0; goto item
            :: else
            fi
        }
#endif
        atomic { unlock(GET_SIDE) }
        atomic { sleep(GET_SIDE); goto trying }
item: /* take_item, pass_item */
        atomic { got = body[head] };
        atomic { gets++ };
        atomic {
            assert(got != JUNK && got % 16 == taken[got / 16] + 1); /* whole, the next one, not once more */
            taken[got / 16]++;
            got = 0;
            head++;
            returns[me] = true
        };
        atomic { unlock(GET_SIDE); wakes = PUT_SIDE }
notifying:
        notify(wakes);
notified:
        atomic {
            if
            :: slept -> slept = false; wakes = GET_SIDE; announce(GET_SIDE); seen[me] = 0
            :: else -> goto done
            fi
        }
        atomic {
            if
            :: HAS_MORE -> goto notifying /* hand_on */
            :: else
            fi
        }
done:
        atomic {
            wakes = 0;
            returns[me] = false;
            goto trying
        }
    } unless {
        atomic {
            DIES;
            lost[me] = returns[me];
            returns[me] = false;
            seen[me] = 0;
            wakes = 0;
            got = 0;
            slept = false
        }
    };
}

/* When nothing moves any more. */
active proctype judge()
{
    byte i;
    atomic {
        timeout ->
        do
        :: i < PUTTERS ->
            assert(taken[i] <= returned[i] + !alive[i]); /* what never returned: one for each killed putter */
            if
            :: GETTERS_LEFT -> assert(taken[i] >= returned[i] && (!alive[i] || returned[i] == EACH))
            :: else -> assert(FULL || !alive[i] || returned[i] == EACH) /* nobody is there to make room */
            fi;
            i++
        :: else -> break
        od;
        assert(!GETTERS_LEFT || word[head] == END);
        i = 0
    }
}
