/*
 * The child's side of a start, and mp_freeze_support.
 *
 * A child by spawn finds an invitation in its environment: the arena's handles and the slot that waits for it. It is
 * believed only if the handles are an arena of that family and the slot is there to be claimed; a program with more
 * rights than its caller (set-uid) believes it only from a process with the same. It is taken out of the environment at
 * once, so that the child's own children do not find it. A child by fork gets the same invitation as a struct.
 */
#include "objects/bootstrap.h"

#include "family/alloc.h"
#include "objects/connection.h"
#include "objects/finalize.h"
#include "objects/log.h"
#include "objects/name.h"
#include "objects/process.h"
#include "objects/start.h"
#include "objects/watcher.h"
#include "wire/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE "MULTIPROC_CHILD" /* in the child's environment */

static const mp__program_t *program;

const mp__program_t *mp__program(void)
{
    return program;
}

void mp__program_flush(bool all)
{
    if (program)
        program->flush(all);
    else
        mp__flush_program(all);
}

/* ---- the invitation as text: numbers with a colon behind each */

void mp__invitation_print(char *text, size_t size, const mp__invitation_t *invitation, mp__os_handle_t lifeline)
{
    snprintf(text, size,
             VARIABLE "=%x:%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%x:%x:%x:%x:%" PRIx32 ":%" PRIx32 ":%" PRIx64 ":%" PRIx64
                      ":",
             MP_ABI_VERSION, (uint64_t)invitation->memory, (uint64_t)invitation->life, invitation->size,
             invitation->family[0], invitation->family[1], invitation->family[2], invitation->family[3],
             invitation->slot, invitation->epoch, invitation->nonce, (uint64_t)lifeline);
}

static bool parse_numbers(const char *text, uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end;
        numbers[i] = strtoull(text, &end, 16);
        if (end == text || *end != ':')
            return false;
        text = end + 1;
    }
    return *text == '\0';
}

static bool parse_invitation(const char *text, mp__invitation_t *invitation, mp__os_handle_t *lifeline, uint32_t *abi)
{
    uint64_t n[12];
    if (!parse_numbers(text, n, MP__COUNT_OF(n)))
        return false;
    *abi = (uint32_t)n[0];
    invitation->memory = (mp__os_handle_t)n[1];
    invitation->life = (mp__os_handle_t)n[2];
    invitation->size = n[3];
    for (size_t i = 0; i < MP__COUNT_OF(invitation->family); i++)
        invitation->family[i] = (uint16_t)n[4 + i];
    invitation->slot = (uint32_t)n[8];
    invitation->epoch = (uint32_t)n[9];
    invitation->nonce = n[10];
    *lifeline = (mp__os_handle_t)n[11];
    return true;
}

/* Takes the invitation out of the environment. False: there is none. */
static bool take_variable(char *text, size_t size)
{
    return mp__os_environment_get(VARIABLE, text, size) && mp__os_environment_set(VARIABLE) == MP_OK;
}

/* ---- running the target */

/* A private copy of what the parent wrote into the arena. NULL: it does not hold. */
static mp__start_block_t *read_block(void)
{
    const mp__process_slot_t *slot = &mp__family.processes[mp__family.process];
    uint64_t room = sizeof slot->block, arguments = slot->arguments;
    const mp__start_block_t *shared = arguments ? mp__block_at(arguments, &room) : (const void *)slot->block;
    if (!shared || room < sizeof *shared)
        return NULL;
    mp__start_block_t *block = malloc((size_t)room);
    if (!block)
        return NULL;
    memcpy(block, shared, (size_t)room);
    if (arguments)
        mp__block_free(arguments);
    block->identity[sizeof block->identity - 1] = '\0';
    if (block->size <= room - sizeof *block && block->settings.text_size <= room - sizeof *block - block->size &&
        block->handle_count <= MP__TRANSFER_MOST)
        return block;
    free(block);
    return NULL;
}

/* Tells the parent, which waits for it. False: that has taken the start back. */
static bool report(mp_status_t status)
{
    mp__process_slot_t *slot = &mp__family.processes[mp__family.process];
    uint32_t none = MP__REPORT_NONE;
    if (status != MP_OK)
        slot->failure = *mp_error();
    bool counts = mp__cas32(&slot->report, &none, status == MP_OK ? MP__REPORT_RUNS : MP__REPORT_FAILED);
    mp__wake(&slot->report, true);
    return counts;
}

static int exit_code_of(mp_status_t status, const mp_call_t *call)
{
    if (call->exits)
        return call->exit_code;
    return status == MP_OK ? 0 : 1;
}

/* What the function failed with, for mp_process_result(). */
static void record_failure(const mp_error_t *error)
{
    mp__family.processes[mp__family.process].failure = *error;
    mp__log(MP_LOG_ERROR, "%s: %s", error->step, error->text);
}

/* Decodes the call and runs it. */
static int run_call(const mp__start_block_t *block, mp__transfer_t *transfer)
{
    mp_call_t call;
    mp__receiver_t receiver = mp__transfer_receiver(transfer);
    mp_status_t status = mp__call_decode(block + 1, (size_t)block->size, &receiver, &call);
    mp__transfer_drop(transfer);
    bool wanted = report(status);
    if (status != MP_OK)
        return MP__EXIT_UNUSABLE;
    if (!wanted) {
        mp__call_fini(&call);
        return MP__EXIT_UNUSABLE;
    }
    mp__log(MP_LOG_INFO, "child process calling its function");
    status = mp__call_run(&call);
    if (status != MP_OK && !call.exits)
        record_failure(mp_error());
    int code = exit_code_of(status, &call);
    mp__call_fini(&call);
    return code;
}

static bool serves;

bool mp__serves(void)
{
    return serves;
}

/* This process is a member now: what it was told, and the target. forked: the handles of its arguments, if a fork made
 * it. */
static int run_target(mp__os_handle_t lifeline, const mp__transfer_t *forked)
{
    mp__start_block_t *block = read_block();
    if (!block) {
        report(mp__error(MP_CORRUPT, "begin in a child", "its arguments are not there"));
        return MP__EXIT_UNUSABLE;
    }
    mp__start_method_inherit((mp_start_method_t)block->method);
    mp__process_become(block->identity, block->daemon != 0, block->parent_slot, block->parent_epoch, lifeline);
    mp__authkey_take(&block->authkey);
    mp__log_inherit(&block->log);
    serves = block->service != 0;
    if (block->parent_serves)
        mp__os_heed_interrupt();
    if (serves)
        mp__os_ignore_interrupt();
    mp__transfer_t transfer = {.count = forked ? forked->count : block->handle_count};
    mp_status_t status = block->unwatched && !block->own_lifeline
                             ? MP_OK
                             : mp__watcher_begin(lifeline, block->own_lifeline, &block->settings);
    if (status == MP_OK)
        status = mp__settings_apply(&block->settings, (const char *)(block + 1) + block->size,
                                    block->method == MP_START_SPAWN);
    for (size_t i = 0; i < transfer.count; i++) {
        transfer.handles[i] = forked ? forked->handles[i] : block->handles[i];
        if (status == MP_OK && !forked)
            status = mp__os_handle_adopt(transfer.handles[i]);
    }
    if (status != MP_OK)
        report(status);
    int code = status == MP_OK ? run_call(block, &transfer) : MP__EXIT_UNUSABLE;
    free(block);
    return code;
}

/* Less than that, and the peak of memory is not worth what asking for it costs: nanoseconds of processors. */
#define BRIEF (10 * MP__MILLISECOND)

/* The slot keeps what the process says of its end, for a parent whose host takes the system's word away; and what it
 * used, because the system's word on memory can be its parent's, and some keep no word on processors. */
static void record_exit(int code)
{
    mp__os_usage_t *usage = &mp__family.processes[mp__family.process].usage;
    mp__os_usage(usage, false);
    if (usage->user + usage->system >= BRIEF)
        mp__os_usage(usage, true);
    mp__store64(&mp__family.processes[mp__family.process].exit, mp__pair(1, (uint32_t)code));
}

static void log_end(int code)
{
    mp__log(MP_LOG_INFO, "process exiting with exitcode %d", code);
}

/* ---- fork */

void mp__forked_child(const mp__invitation_t *invitation, mp__os_handle_t lifeline, const mp__transfer_t *transfer)
{
    mp__conns_forget(transfer);
    mp__log_forget();
    int code = MP__EXIT_UNUSABLE;
    if (mp__family_accept_forked(invitation) == MP_OK) {
        code = run_target(lifeline, transfer);
        mp__finalize_run();
        record_exit(code);
        log_end(code);
    }
    mp__program_flush(true);
    mp__os_end_now(code);
}

/* ---- mp_freeze_support */

static const int *executed_code; /* once a child's function has returned */

/* The program's handler, in its own C runtime. */
static void at_exit(void)
{
    mp__finalize_run();
    if (executed_code)
        log_end(*executed_code);
    mp__watcher_await();
}

/* Runs an invited child. False: it was no invitation to this process. */
static bool run_invited(const char *text, uint32_t abi, int *code)
{
    mp__invitation_t invitation;
    mp__os_handle_t lifeline;
    uint32_t parent_abi;
    if (!parse_invitation(text, &invitation, &lifeline, &parent_abi))
        return false;
    if (parent_abi != MP_ABI_VERSION || abi != MP_ABI_VERSION) {
        *code = MP__EXIT_MISMATCH;
        return true;
    }
    if (!mp__os_arena_is_trusted(invitation.memory))
        return true;
    mp_status_t status = mp__family_accept(&invitation);
    if (status == MP_INVALID && !mp__family.base)
        return false;
    if (status == MP_OK && lifeline != MP__NO_HANDLE)
        status = mp__os_handle_adopt(lifeline);
    if (status == MP_MISMATCH)
        *code = MP__EXIT_MISMATCH;
    if (status == MP_OK) {
        static int result;
        *code = result = run_target(lifeline, NULL);
        executed_code = &result;
        record_exit(*code);
    }
    return true;
}

/* What the inline part of the program's headers handed over, once. */
static bool keep_program(const mp__program_t *given)
{
    static mp__program_t kept;
    if (program)
        return true;
    kept = *given;
    if (kept.at_exit(at_exit) != 0)
        return false;
    program = &kept;
    return true;
}

/* One that was invited never goes on with its own main, whatever it lacks. */
bool mp__freeze_support(int argc, char **argv, uint32_t abi, const mp__program_t *given, int *code)
{
    char text[256];
    bool invited = take_variable(text, sizeof text);
    bool able = mp__os_program_note(argc, argv) == MP_OK;
    mp__name_begin();
    if (abi == MP_ABI_VERSION)
        able = able && keep_program(given);
    else
        able = true; /* enough to say so */
    *code = MP__EXIT_UNUSABLE;
    return invited && (!able || run_invited(text, abi, code));
}
