/*
 * The lock: src/family/lock.c, step by step, with the futex and with the reuse of a dead one's slot.
 *
 * Holds: no two hold it; who takes it after its holder died is told, and nobody else is; two words written under it
 * are never seen half written; nobody sleeps for ever.
 *
 * A slot's epoch is one bit here. What 32 bits stand for in the code is a rule here: a slot is not claimed with an
 * epoch under which somebody still knows it (NAMED).
 */
#define N 3
#ifndef MEMBERS
#define MEMBERS 3
#endif
#ifndef PLAIN
#define PLAIN 0 /* 1: without STARVING and deadlines: for more deaths and births in as many states */
#endif
#ifndef BIRTHS
#define BIRTHS 1
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif

#include "deaths.inc"

/* The word: bits 0..2 the owner's slot + 1, 0 = free; 3 its epoch (the code's high half); 4 and 5 the flags. */
#define OWNER(v)   ((v) & 7)
#define NAME(v)    ((v) & 15)
#define LOW(v)     ((v) & 55)
#define WAITERS    16
#define STARVING   32
#define ABANDONED  7
#define SELF(p)    ((p) + 1 + (epochs[p] << 3))

byte word;
byte value[N]; /* each one's copy of the word */
bit epochs[N];
byte births;
bool abandoned;
bool inside[N]; /* who believes that it holds the lock */
bool broken;    /* a holder died, and nobody has repaired what it left */
bit one, two;   /* what the lock guards: equal when nobody is at it */

/* mp__thread_dead */
#define DEAD(v) (OWNER(v) == ABANDONED || !alive[OWNER(v) - 1] || epochs[OWNER(v) - 1] != (NAME(v) >> 3))

#define IS(v, p, e) (NAME(v) == (p) + 1 + ((e) << 3))
#define NAMED(p, e) (IS(word, p, e) || IS(value[0], p, e) || IS(value[1], p, e) || IS(value[2], p, e))

mtype = { NOTHING, TAKEN, OWNER_DIED, UNREPAIRED };

/* A compare-and-swap that takes the lock. Where it fails: look again. */
inline take(desired, result)
{
    if
    :: word == value[me] ->
        word = desired;
        value[me] = 0;
        inside[me] = true;
        flags = 0;
        late = false;
        status = result;
        goto taken
    :: else -> value[me] = 0; goto look
    fi
}

/* sleep_on up to parking: says in the word that somebody sleeps. The deadline may have passed. */
inline announce()
{
    if
    :: wanted = value[me] | WAITERS
    :: !PLAIN && flags == WAITERS -> wanted = value[me] | WAITERS | STARVING
    fi;
    if
    :: wanted != value[me] && word != value[me] -> value[me] = 0; wanted = 0; goto look
    :: wanted != value[me] && word == value[me] -> word = wanted
    :: wanted == value[me]
    fi;
    value[me] = wanted;
    wanted = 0;
    flags = WAITERS;
    if
    :: late -> late = false; flags = 0; value[me] = 0; goto out
    :: else
    fi
}

/* mp__os_word_wait: the comparison and going to sleep are one step. The deadline of process 0 may pass meanwhile. */
inline park()
{
#ifdef NO_RECHECK
    asleep[me] = true;
#else
    asleep[me] = (LOW(word) == LOW(value[me]));
#endif
    value[me] = 0;
    if
    :: !asleep[me]
    :: SLICE -> asleep[me] = false
    :: !PLAIN && me == 0 && asleep[me] -> asleep[me] = false; late = true
    fi
}

#ifdef NO_WAITERS_BIT
#define FLAGS 0
#else
#define FLAGS flags
#endif

/* mp__word_lock, lock_slowly */
inline lock()
{
    atomic { take(SELF(me), TAKEN) }
look:
    atomic { value[me] = word; LOOK; assert(NAME(word) != SELF(me)) }
    if
    :: atomic { OWNER(value[me]) == 0 -> take(SELF(me) | FLAGS, TAKEN) }
#ifdef RECOVER_OUTSIDE
    /* What must not be done: to repair first, and take the lock then. */
    :: atomic { OWNER(value[me]) != 0 && DEAD(value[me]) -> copy = one }
       atomic { two = copy; copy = 0; broken = false }
       atomic { take(SELF(me) | WAITERS, TAKEN) }
#else
    :: atomic { OWNER(value[me]) != 0 && DEAD(value[me]) -> take(SELF(me) | WAITERS, OWNER_DIED) }
#endif
    :: atomic { OWNER(value[me]) != 0 && !DEAD(value[me]) -> announce() }
       atomic { park(); goto look }
    fi
}

#define ALONE (inside[0] + inside[1] + inside[2] == 1)

/* What is done under the lock; a repair first, if it is called for. It may turn out to be impossible, once. */
inline use()
{
    if
    :: atomic { status == TAKEN -> assert(ALONE && !broken && one == two); one = 1 - one }
    :: atomic { status == OWNER_DIED -> assert(ALONE && broken); copy = one }
       atomic { two = copy; copy = 0 }
       if
       :: atomic { broken = false; one = 1 - one }
       :: atomic { !abandoned -> abandoned = true; status = UNREPAIRED; goto unlock }
       fi
    fi;
    atomic { assert(ALONE); two = one }
}

/* mp__word_release, mp__word_abandon: one store, and from then on the lock is not its own. It fails if the flags
 * changed since they were read. */
inline release()
{
    if
    :: word == value[me] ->
        if
        :: status == UNREPAIRED -> word = ABANDONED | (word & (WAITERS | STARVING))
        :: else -> word = word & STARVING
        fi;
        inside[me] = false;
        status = NOTHING;
        if
        :: value[me] & WAITERS
        :: else -> value[me] = 0; goto out
        fi
    :: else -> assert(NAME(word) == SELF(me)); value[me] = word; goto again
    fi
}

active [MEMBERS] proctype member()
{
    byte me = _pid - 1;
    byte flags, wanted, rounds = ROUNDS;
    bit copy;
    bool late;
    mtype status = NOTHING;
life:
    {
        lock();
taken:
        use();
unlock:
        value[me] = SELF(me);
again:
        atomic { release() }
        atomic {
#ifndef DROP_WAKE
            wake_one();
#endif
            value[me] = 0
        }
out:
        atomic {
            if
            :: rounds > 1 -> rounds--; goto life
            :: else -> rounds = 0; goto over
            fi
        }
    } unless {
        atomic {
            DIES;
            broken = broken || NAME(word) == SELF(me);
            inside[me] = false;
            value[me] = 0;
            flags = 0;
            wanted = 0;
            rounds = 1;
            copy = 0;
            late = false;
            status = NOTHING;
            /* Somebody else's thread takes the slot at some time, or nobody does. */
            if
            :: true -> goto over
            :: births < BIRTHS -> births++
            fi;
end_unclaimed:
            !NAMED(me, 1 - epochs[me]) -> epochs[me] = 1 - epochs[me];
            alive[me] = true;
            goto life
        }
    };
over:
    skip
}
