/* Turns: {number, what became of it} in the thread's slot. */
#include "family/turn.h"

static uint32_t word_of(uint32_t number, mp__turn_t turn)
{
    return number << 2 | (uint32_t)turn;
}

static uint32_t *own_word(void)
{
    return &mp__family.threads[mp__low(mp__self) - 1].turn;
}

/* NULL: there is no such slot. */
static uint32_t *word_in(uint64_t thread)
{
    uint32_t index = mp__low(thread) - 1;
    if (index >= mp__load32(&mp__family.head->thread_mark) ||
        !mp__region_touchable(MP__REGION_THREADS, (index + 1) * sizeof(mp__thread_slot_t)))
        return NULL;
    return &mp__family.threads[index].turn;
}

uint32_t mp__turn_begin(void)
{
    uint32_t *word = own_word();
    uint32_t number = ((mp__load32(word) >> 2) + 1) % MP__TURN_NUMBERS;
    mp__store32(word, word_of(number, MP__TURN_WAITING));
    return number;
}

mp_status_t mp__turn_sleep(uint32_t number, mp__deadline_t deadline)
{
    uint32_t *word = own_word(), waiting = word_of(number, MP__TURN_WAITING);
    mp__spin_t spin = {.most = MP__SPIN_BRIEF};
    while (mp__load32(word) == waiting)
        if (!mp__spin(&spin, deadline))
            return mp__park(word, waiting, deadline);
    mp__spin_end(&spin);
    return MP_OK;
}

bool mp__turn_leave(uint32_t number)
{
    uint32_t waiting = word_of(number, MP__TURN_WAITING);
    return mp__cas32(own_word(), &waiting, word_of(number, MP__TURN_OVER));
}

void mp__turn_end(uint32_t number)
{
    mp__store32(own_word(), word_of(number, MP__TURN_OVER));
}

mp__turn_t mp__turn_of(uint64_t thread, uint32_t number)
{
    uint32_t *word = word_in(thread);
    uint32_t value = word ? mp__load32(word) : 0;
    return word && value >> 2 == number ? (mp__turn_t)(value & 3) : MP__TURN_OVER;
}

bool mp__turn_give(uint64_t thread, uint32_t number)
{
    uint32_t *word = word_in(thread), waiting = word_of(number, MP__TURN_WAITING);
    if (!word || !mp__cas32(word, &waiting, word_of(number, MP__TURN_GIVEN)))
        return false;
    mp__wake(word, true);
    return true;
}
