/* Processes: starting, waiting, ending; the job and the lifeline that end children with this process. */
#include "win32.h"

#include "core/error.h"
#include "win32/quote.h"

#include <stdlib.h>
#include <string.h>

static const char starting[] = "start a process";

/* ---- the command line ---- */

static mp_status_t quote_all(const char *const *arguments, char *line)
{
    char *out = line;
    for (size_t i = 0; arguments[i]; i++) {
        if (i > 0)
            *out++ = ' ';
        if (i > 0)
            out = mp__win_quote(out, arguments[i]);
        else if (!mp__win_quote_program(&out, arguments[0]))
            return mp__error(MP_INVALID, starting, "a program's name cannot have a '\"'");
    }
    *out = 0;
    return MP_OK;
}

/* Also CreateProcessW writes into what it is given. */
static mp_status_t copy_own_line(wchar_t **line)
{
    *line = _wcsdup(GetCommandLineW());
    return *line ? MP_OK : mp__error(MP_NO_MEMORY, starting, "no memory");
}

static mp_status_t make_line(const char *const *arguments, wchar_t **line)
{
    if (!arguments)
        return copy_own_line(line);
    size_t room = 1;
    for (size_t i = 0; arguments[i]; i++)
        room += mp__win_quote_room(arguments[i]);
    char *text = malloc(room);
    if (!text)
        return mp__error(MP_NO_MEMORY, starting, "no memory");
    mp_status_t status = quote_all(arguments, text);
    if (!status) {
        *line = mp__win_wide(text);
        if (!*line)
            status = mp__win_failure(starting);
    }
    free(text);
    return status;
}

/* ---- the job ---- */

static HANDLE make_job(DWORD flags, uint32_t process_limit)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = flags};
    limits.BasicLimitInformation.ActiveProcessLimit = process_limit;
    HANDLE job = CreateJobObjectW(NULL, NULL);
    if (job && !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits)) {
        CloseHandle(job);
        job = NULL;
    }
    return job;
}

/* A child's own job, for what is said of it and its descendants together. *job is NULL where it needs none. */
static mp_status_t own_job(const mp__os_spawn_t *spawn, HANDLE *job)
{
    *job = NULL;
    if (!spawn->grouped && !spawn->process_limit)
        return MP_OK;
    *job = make_job(spawn->process_limit ? JOB_OBJECT_LIMIT_ACTIVE_PROCESS : 0, spawn->process_limit);
    return *job ? MP_OK : mp__win_failure("make a job");
}

/* The job that ends all children when this process ends, however it ends: the system closes the only handle on it then.
 * NULL: it cannot be had; children have their lifeline all the same. */
static HANDLE children_job(void)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static bool made;
    static HANDLE job;
    AcquireSRWLockExclusive(&lock);
    if (!made) {
        job = make_job(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK, 0);
        made = true;
    }
    ReleaseSRWLockExclusive(&lock);
    return job;
}

/* ---- what a child inherits ---- */

typedef struct inheritance {
    HANDLE standard[3]; /* inheritable copies */
    HANDLE *list;       /* all, each once: the system refuses a list with doubles */
    bool *stays;        /* of each: it was inheritable before, because its owner wants it */
    size_t count;
    size_t standard_count; /* of the list, in front */
} inheritance_t;

/* While a handle is inheritable, every other start of this library must wait; it would not inherit it, having a list,
 * but would take the mark away. */
static SRWLOCK inheriting = SRWLOCK_INIT;

static bool add_once(inheritance_t *all, HANDLE handle)
{
    DWORD flags;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i] == handle)
            return true;
    if (handle == INVALID_HANDLE_VALUE || !GetHandleInformation(handle, &flags) ||
        !SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        return false;
    all->stays[all->count] = (flags & HANDLE_FLAG_INHERIT) != 0;
    all->list[all->count++] = handle;
    return true;
}

static HANDLE open_null(void)
{
    SECURITY_ATTRIBUTES inheritable = {.nLength = sizeof inheritable, .bInheritHandle = TRUE};
    return CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inheritable,
                       OPEN_EXISTING, 0, NULL);
}

/* An inheritable copy of what the child is to get, or the null device, for nothing and where it cannot be copied. */
static HANDLE make_standard(const mp__os_spawn_t *spawn, size_t number)
{
    mp__os_handle_t wanted = spawn->standard ? spawn->standard[number]
                             : number        ? mp__os_standard(number)
                                             : MP__NO_HANDLE;
    HANDLE copy;
    if (wanted != MP__NO_HANDLE && DuplicateHandle(GetCurrentProcess(), mp__win_handle(wanted), GetCurrentProcess(),
                                                   &copy, 0, TRUE, DUPLICATE_SAME_ACCESS))
        return copy;
    return open_null();
}

static void disinherit(inheritance_t *all)
{
    for (size_t i = 0; i < all->standard_count; i++)
        CloseHandle(all->list[i]);
    for (size_t i = all->standard_count; i < all->count; i++)
        if (!all->stays[i])
            SetHandleInformation(all->list[i], HANDLE_FLAG_INHERIT, 0);
    free(all->list);
    free(all->stays);
}

static mp_status_t inherit(const mp__os_spawn_t *spawn, inheritance_t *all)
{
    size_t room = spawn->handle_count + MP__COUNT_OF(all->standard);
    *all = (inheritance_t){.list = malloc(room * sizeof *all->list), .stays = calloc(room, sizeof *all->stays)};
    if (!all->list || !all->stays)
        return mp__error(MP_NO_MEMORY, starting, "no memory");
    for (size_t i = 0; i < MP__COUNT_OF(all->standard); i++) {
        HANDLE handle = make_standard(spawn, i);
        if (handle == INVALID_HANDLE_VALUE)
            return mp__win_failure(starting);
        all->standard[i] = handle;
        all->list[all->count++] = handle;
        all->standard_count++;
    }
    for (size_t i = 0; i < spawn->handle_count; i++)
        if (!add_once(all, mp__win_handle(spawn->handles[i])))
            return mp__error_native(MP_INVALID, starting, ERROR_INVALID_HANDLE);
    return MP_OK;
}

/* ---- start ---- */

/* Windows 10; earlier ones refuse it. Its name is missing in some headers. */
#define JOB_LIST_ATTRIBUTE ((DWORD_PTR)0x2000D)

#define ATTEMPTS 3

/* The jobs that a child is born into, the outer one first. */
typedef struct jobs {
    HANDLE list[2];
    size_t count;
    bool needed; /* the child must not be without them */
} jobs_t;

/* What CreateProcessW is told beside the image and the line. */
static mp_status_t make_attributes(inheritance_t *all, jobs_t *jobs, LPPROC_THREAD_ATTRIBUTE_LIST *list)
{
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, 2, 0, &size);
    *list = malloc(size);
    if (!*list)
        return mp__error(MP_NO_MEMORY, starting, "no memory");
    if (!InitializeProcThreadAttributeList(*list, 2, 0, &size)) {
        mp_status_t status = mp__win_failure(starting);
        free(*list);
        *list = NULL;
        return status;
    }
    if (!UpdateProcThreadAttribute(*list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, all->list,
                                   all->count * sizeof *all->list, NULL, NULL))
        return mp__win_failure(starting);
    if (jobs->count && !UpdateProcThreadAttribute(*list, 0, JOB_LIST_ATTRIBUTE, jobs->list,
                                                  jobs->count * sizeof(HANDLE), NULL, NULL)) {
        if (jobs->needed)
            return mp__error(MP_UNSUPPORTED, starting, "this system cannot limit a child's processes");
        jobs->count = 0;
    }
    return MP_OK;
}

typedef struct start {
    wchar_t *image;
    wchar_t *line;
    wchar_t *environment;
    DWORD flags;
} start_t;

static mp_status_t refused(void)
{
    DWORD code = GetLastError();
    if (code == ERROR_INVALID_HANDLE) /* the handles are good; Wine says so of a folder */
        return mp__error_native(MP_DENIED, starting, (int)code);
    return mp__win_failure_code(starting, code);
}

/* Under Wine, on a busy machine, a process that has just been made is now and then lost before any of its code ran,
 * which this error says: nothing was started. */
static bool create_process(const start_t *start, STARTUPINFOW *info, PROCESS_INFORMATION *made)
{
    for (int attempt = 1;; attempt++) {
        if (CreateProcessW(start->image, start->line, NULL, NULL, TRUE, start->flags, start->environment, NULL, info,
                           made))
            return true;
        if (GetLastError() != ERROR_INTERNAL_ERROR || attempt == ATTEMPTS)
            return false;
    }
}

/* Creates it in the jobs; their count says afterwards whether they were taken. */
static mp_status_t create(const start_t *start, inheritance_t *all, jobs_t *jobs, PROCESS_INFORMATION *made)
{
    STARTUPINFOEXW info = {.StartupInfo = {.cb = sizeof info, .dwFlags = STARTF_USESTDHANDLES}};
    info.StartupInfo.hStdInput = all->standard[0];
    info.StartupInfo.hStdOutput = all->standard[1];
    info.StartupInfo.hStdError = all->standard[2];
    mp_status_t status = make_attributes(all, jobs, &info.lpAttributeList);
    if (!status && !create_process(start, &info.StartupInfo, made))
        status = refused();
    if (info.lpAttributeList)
        DeleteProcThreadAttributeList(info.lpAttributeList);
    free(info.lpAttributeList);
    return status;
}

/* Somebody else's job around this process may let nothing into other jobs, or out of it. */
static mp_status_t create_somehow(start_t *start, inheritance_t *all, jobs_t *jobs, PROCESS_INFORMATION *made)
{
    const jobs_t wanted = *jobs;
    mp_status_t status = create(start, all, jobs, made);
    if (status == MP_DENIED && (start->flags & CREATE_BREAKAWAY_FROM_JOB)) {
        start->flags &= ~(DWORD)CREATE_BREAKAWAY_FROM_JOB;
        *jobs = wanted;
        status = create(start, all, jobs, made);
    }
    if (status == MP_DENIED && jobs->count && !jobs->needed) {
        jobs->count = 0;
        status = create(start, all, jobs, made);
    }
    return status;
}

/* *own becomes NULL if the child could not be put into it. */
static mp_status_t launch(start_t *start, const mp__os_spawn_t *spawn, HANDLE *own, PROCESS_INFORMATION *made)
{
    inheritance_t all;
    jobs_t jobs = {.needed = spawn->process_limit != 0};
    AcquireSRWLockExclusive(&inheriting);
    mp_status_t status = inherit(spawn, &all);
    if (!status) {
        HANDLE children = spawn->detached ? NULL : children_job();
        if (children)
            jobs.list[jobs.count++] = children;
        if (*own)
            jobs.list[jobs.count++] = *own;
        status = create_somehow(start, &all, &jobs, made);
    }
    disinherit(&all);
    ReleaseSRWLockExclusive(&inheriting);
    if (*own && (status || !jobs.count)) {
        CloseHandle(*own);
        *own = NULL;
    }
    return status;
}

static mp_status_t prepare(const mp__os_spawn_t *spawn, start_t *start)
{
    start->flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT;
    if (spawn->grouped || spawn->detached)
        start->flags |= CREATE_NEW_PROCESS_GROUP;
    if (spawn->detached)
        start->flags |= CREATE_BREAKAWAY_FROM_JOB;
    start->image = mp__win_wide(spawn->path);
    if (!start->image)
        return mp__win_failure(starting);
    mp_status_t status = make_line(spawn->arguments, &start->line);
    return status ? status : mp__win_environment(spawn->environment, &start->environment);
}

mp_status_t mp__os_spawn(const mp__os_spawn_t *spawn, mp__os_process_t *process)
{
    start_t start = {0};
    PROCESS_INFORMATION made;
    HANDLE job = NULL;
    mp_status_t status = prepare(spawn, &start);
    if (!status)
        status = own_job(spawn, &job);
    if (!status)
        status = launch(&start, spawn, &job, &made);
    free(start.image);
    free(start.line);
    free(start.environment);
    if (status)
        return status;
    CloseHandle(made.hThread);
    *process = (mp__os_process_t){.pid = (int32_t)made.dwProcessId,
                                  .job = job ? (mp__os_handle_t)job : MP__NO_HANDLE,
                                  .sentinel = (mp__os_handle_t)made.hProcess};
    return MP_OK;
}

mp_status_t mp__os_fork(mp__os_process_t *process, bool *in_child)
{
    (void)process;
    (void)in_child;
    return mp__error(MP_UNSUPPORTED, "fork", "this system has no fork");
}

/* ---- the end ---- */

static mp__os_exit_t exit_of(DWORD code)
{
    if (code == (MP__WIN_SIGNALLED | MP__WIN_TERMINATE) || code == (MP__WIN_SIGNALLED | MP__WIN_KILL))
        return (mp__os_exit_t){.end = MP__OS_SIGNALLED, .code = (int32_t)(code & ~(DWORD)MP__WIN_SIGNALLED)};
    return (mp__os_exit_t){.end = MP__OS_EXITED, .code = (int32_t)code};
}

mp_status_t mp__os_process_wait(mp__os_process_t *process, mp__deadline_t deadline)
{
    static const char step[] = "wait for a process";
    if (process->reaped)
        return MP_OK;
    HANDLE handle = mp__win_handle(process->sentinel);
    DWORD code;
    switch (mp__win_wait(handle, deadline)) {
    case WAIT_OBJECT_0:
        if (!GetExitCodeProcess(handle, &code))
            return mp__win_failure(step);
        process->exit = exit_of(code);
        mp__win_usage(handle, &process->exit.usage);
        process->reaped = true;
        return MP_OK;
    case WAIT_TIMEOUT:
        return mp__error(MP_TIMEOUT, step, "it still runs");
    default:
        return mp__win_failure(step);
    }
}

mp_status_t mp__os_process_signal(mp__os_process_t *process, bool kill)
{
    if (process->reaped)
        return MP_OK;
    HANDLE handle = mp__win_handle(process->sentinel);
    DWORD code;
    if (TerminateProcess(handle, MP__WIN_SIGNALLED | (kill ? MP__WIN_KILL : MP__WIN_TERMINATE)))
        return MP_OK;
    DWORD refusal = GetLastError();
    if (GetExitCodeProcess(handle, &code) && code != STILL_ACTIVE) /* it ends, or has ended */
        return MP_OK;
    return mp__win_failure_code("end a process", refusal);
}

mp_status_t mp__os_process_interrupt(mp__os_process_t *process)
{
    /* GenerateConsoleCtrlEvent brings Ctrl-C to all that share the console, or to nobody: new groups ignore it. */
    return process->reaped
               ? MP_OK
               : mp__error(MP_UNSUPPORTED, "interrupt a process", "this system has no Ctrl-C for one process");
}

mp_status_t mp__os_process_kill_tree(mp__os_process_t *process)
{
    if (process->job != MP__NO_HANDLE &&
        TerminateJobObject(mp__win_handle(process->job), MP__WIN_SIGNALLED | MP__WIN_KILL))
        return mp__os_process_signal(process, true);
    /* The process itself first: it can start no more. */
    mp_status_t status = mp__os_process_signal(process, true);
    mp__win_tree_kill(mp__win_handle(process->sentinel), (DWORD)process->pid);
    return status;
}

/* ---- asking: an event of the asked one, whose handle its starter copies when it is to be set */

mp_status_t mp__os_process_ask(mp__os_process_t *process, uint64_t door)
{
    static const char step[] = "ask a process to end";
    HANDLE event;
    if (process->reaped)
        return MP_OK;
    if (!door)
        return mp__error(MP_BUSY, step, "it cannot be asked yet");
    HANDLE handle = mp__win_handle(process->sentinel);
    if (!DuplicateHandle(handle, (HANDLE)(uintptr_t)door, GetCurrentProcess(), &event, EVENT_MODIFY_STATE, FALSE, 0)) {
        DWORD refusal = GetLastError();
        return WaitForSingleObject(handle, 0) == WAIT_OBJECT_0 ? MP_OK : mp__win_failure_code(step, refusal);
    }
    SetEvent(event);
    CloseHandle(event);
    return MP_OK;
}

mp_status_t mp__os_door_create(mp__os_event_t *asked, uint64_t *door)
{
    mp_status_t status = mp__os_event_create(asked);
    *door = status ? 0 : (uint64_t)asked->set;
    return status;
}

void mp__os_process_close(mp__os_process_t *process)
{
    mp__os_handle_close(process->sentinel);
    mp__os_handle_close(process->job);
    process->sentinel = process->job = MP__NO_HANDLE;
}

mp_status_t mp__os_sentinel_open(int32_t pid, mp__os_handle_t *sentinel)
{
    static const char step[] = "watch a process";
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)pid);
    *sentinel = process ? (mp__os_handle_t)process : MP__NO_HANDLE;
    if (process)
        return MP_OK;
    DWORD code = GetLastError();
    return code == ERROR_INVALID_PARAMETER ? mp__error_native(MP_NOT_FOUND, step, (int)code)
                                           : mp__win_failure_code(step, code);
}

/* ---- the lifeline: a handle on this very process ---- */

mp_status_t mp__os_lifeline_create(mp__os_handle_t *child, mp__os_handle_t *mine)
{
    HANDLE self = GetCurrentProcess();
    HANDLE handle;
    if (!DuplicateHandle(self, self, self, &handle, SYNCHRONIZE, FALSE, 0))
        return mp__win_failure("make a lifeline");
    *child = (mp__os_handle_t)handle;
    *mine = MP__NO_HANDLE;
    return MP_OK;
}

/* Its job ends it then; but a detached one's children, or one's that is in no job, watch. */
mp_status_t mp__os_lifeline_own(mp__os_handle_t shared, mp__os_handle_t *own)
{
    (void)shared;
    *own = MP__NO_HANDLE;
    return MP_OK;
}

bool mp__os_lifeline_arm(mp__os_handle_t own)
{
    (void)own;
    return false;
}
