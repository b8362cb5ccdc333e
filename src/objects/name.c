/*
 * Names for interchange with other programs.
 *
 *   DIRECTORY/multiproc-NAME.KIND        the claim: an empty file, locked by the owner as long as it lives
 *   DIRECTORY/multiproc-NAME.KIND.data   what apr_shm_t knows the memory by
 *   DIRECTORY/multiproc-NAME.KIND.mutex  a lock's apr_global_mutex_create() file
 *   DIRECTORY/multiproc-NAME.KIND~...    somebody is opening the mutex, or died at it
 *
 * A claim that nobody has locked is a dead one's (or one of a maker that is still at its first step, who then begins
 * again): whoever meets it locks it, removes what is there, and the claim last. So no name is lost to a death, and a
 * death while removing is followed by another removal.
 *
 * The lock on a file is the process's, on POSIX: it is lost when any descriptor of the file is closed in it. So the
 * owner's process never opens its own claims a second time, and a claim is never taken over but made anew.
 */
#include "objects/name.h"

#include "core/local.h"
#include "objects/finalize.h"
#include "wire/buffer.h"

#include <apr_portable.h>
#include <apr_strings.h>

#include <limits.h>
#include <string.h>

#define MAGIC UINT64_C(0x316d616e5f706d00)
#define ALIGN ((uint64_t)64)

#define NAME_MOST 30u
/* Windows: APR, asked to choose, looks whether the process may make names for all sessions, and leaks a handle. */
#define NAMESPACE APR_SHM_NS_LOCAL

#define PATIENCE   (2 * MP__SECOND)
#define PROBE_TIME (10 * MP__MILLISECOND) /* others lock a claim for a moment, to see whether they can */
#define PAUSE      MP__MILLISECOND
#define STEP       "use a name"

enum { OPEN = 1, UNLINKED = 2, ENDED = 3 };

/* ---- one thread at a time, and this process's own names */

static uint32_t busy; /* the process whose thread is here: a fork's child does not wait for its parent's */
static mp__name_t *own_names;

static void enter(void)
{
    uint32_t self = (uint32_t)mp__os_pid(), old = 0;
    while (!mp__cas32(&busy, &old, self))
        if (old == self) {
            mp__os_sleep(mp__os_now() + PAUSE);
            old = 0;
        }
}

static void leave(void)
{
    mp__store32(&busy, 0);
}

/* The same name, if this process owns it. */
static mp__name_t *find_own(const char *path)
{
    mp__name_t *name = own_names;
    while (name && (name->pid != mp__os_pid() || strcmp(name->path, path) != 0))
        name = name->next;
    return name;
}

static void forget_own(const mp__name_t *name)
{
    mp__name_t **link = &own_names;
    while (*link && *link != name)
        link = &(*link)->next;
    if (*link)
        *link = name->next;
}

/* ---- errors */

static bool is_limit(int code)
{
    return APR_STATUS_IS_EMFILE(code) || APR_STATUS_IS_ENFILE(code);
}

mp_status_t mp__name_failed(const char *step, int code)
{
    mp_status_t status = APR_STATUS_IS_EACCES(code)   ? MP_DENIED
                         : APR_STATUS_IS_ENOMEM(code) ? MP_NO_MEMORY
                         : APR_STATUS_IS_ENOSPC(code) ? MP_NO_MEMORY
                         : is_limit(code)             ? MP_LIMIT
                                                      : MP_SYSTEM;
    return mp__error_apr(status, step, code);
}

static mp_status_t not_found(const char *text)
{
    return mp__error(MP_NOT_FOUND, "open a name", "nobody owns \"%s\"", text);
}

static mp_status_t exists(const char *text)
{
    return mp__error(MP_EXISTS, "make a name", "\"%s\" is taken", text);
}

/* ---- paths */

static bool is_name(const char *text, size_t most)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    size_t n = text ? strlen(text) : 0;
    return n >= 1 && n <= most && text[0] != '.' && strspn(text, allowed) == n;
}

/* APR tries to make a file there and does not say why it could not. */
static mp_status_t no_folder(int code)
{
    static const char step[] = "find the temporary directory";
    mp__os_handle_t ends[2];
    mp_status_t status = mp__os_channel_create(false, ends);
    if (status != MP_OK)
        return mp__error(status, step, "%s", mp_error()->text);
    mp__os_handle_close(ends[0]);
    mp__os_handle_close(ends[1]);
    return mp__name_failed(step, code);
}

static mp_status_t find_path(apr_pool_t *pool, const char *text, const char **path)
{
    const char *folder;
    int code = apr_temp_dir_get(&folder, pool);
    if (code != APR_SUCCESS)
        return no_folder(code);
    *path = apr_pstrcat(pool, folder, "/multiproc-", text, NULL);
    return MP_OK;
}

static const char *data_path(const mp__name_t *name)
{
    return apr_pstrcat(name->pool, name->path, ".data", NULL);
}

/* ---- claims */

static bool try_lock(apr_file_t *file)
{
    return apr_file_lock(file, APR_FLOCK_EXCLUSIVE | APR_FLOCK_NONBLOCK) == APR_SUCCESS;
}

/* Does the path lead to this file? Where the system cannot tell it cannot lead elsewhere while the file is open. */
static bool leads_to(apr_pool_t *pool, const char *path, apr_file_t *file)
{
    apr_finfo_t at, is;
    int code = apr_stat(&at, path, APR_FINFO_IDENT, pool);
    if (code != APR_SUCCESS && code != APR_INCOMPLETE)
        return false;
    code = apr_file_info_get(&is, APR_FINFO_IDENT, file);
    bool known = code == APR_SUCCESS && (at.valid & is.valid & APR_FINFO_IDENT) == APR_FINFO_IDENT;
    return !known || (at.inode == is.inode && at.device == is.device);
}

static int open_claim(apr_file_t **file, const char *path, bool fresh, apr_pool_t *pool)
{
    apr_int32_t how = APR_FOPEN_READ | APR_FOPEN_WRITE | APR_FOPEN_BINARY;
    return apr_file_open(file, path, how | (fresh ? APR_FOPEN_CREATE | APR_FOPEN_EXCL : 0), APR_UREAD | APR_UWRITE,
                         pool);
}

/* What those left who died while they opened a mutex. */
static void remove_openings(apr_pool_t *pool, const char *path)
{
    const char *base = strrchr(path, '/') + 1;
    const char *folder = apr_pstrndup(pool, path, (apr_size_t)(base - path));
    const char *prefix = apr_pstrcat(pool, base, MP__NAME_OPENING, NULL);
    apr_dir_t *directory;
    apr_finfo_t entry;
    if (apr_dir_open(&directory, folder, pool) != APR_SUCCESS)
        return;
    for (int code;
         code = apr_dir_read(&entry, APR_FINFO_NAME, directory), code == APR_SUCCESS || code == APR_INCOMPLETE;)
        if (strncmp(entry.name, prefix, strlen(prefix)) == 0)
            apr_file_remove(apr_pstrcat(pool, folder, entry.name, NULL), pool);
    apr_dir_close(directory);
}

/* Removes what a claim that the caller has locked stands for. */
static void remove_all(apr_pool_t *pool, const char *path, apr_file_t *claim)
{
    if (!leads_to(pool, path, claim))
        return;
    apr_shm_remove(apr_pstrcat(pool, path, ".data", NULL), pool);
    apr_finfo_t mutex;
    const char *mutex_path = apr_pstrcat(pool, path, ".mutex", NULL);
    int code = apr_stat(&mutex, mutex_path, APR_FINFO_TYPE, pool);
    if (code == APR_SUCCESS || code == APR_INCOMPLETE) {
        remove_openings(pool, path);
        apr_file_remove(mutex_path, pool);
    }
    apr_file_remove(path, pool);
}

typedef enum found { NONE, ALIVE, REFUSED } found_t;

/* Who owns the name? A dead one's is removed. ALIVE: *claim (may be NULL) is the open file; REFUSED: with an error. */
static found_t look_at(apr_pool_t *pool, const char *path, apr_file_t **claim)
{
    apr_file_t *file;
    int code = open_claim(&file, path, false, pool);
    if (APR_STATUS_IS_ENOENT(code))
        return NONE;
    if (code != APR_SUCCESS) {
        mp__name_failed("open a name", code);
        return REFUSED;
    }
    bool locked;
    mp__deadline_t end = mp__os_now() + PROBE_TIME;
    while (!(locked = try_lock(file)) && mp__os_now() < end)
        mp__os_sleep(mp__os_now() + PAUSE);
    if (locked)
        remove_all(pool, path, file);
    else if (claim)
        *claim = file;
    if (locked || !claim)
        apr_file_close(file);
    return locked ? NONE : ALIVE;
}

/* Makes the claim, locked. */
static mp_status_t claim(mp__name_t *name)
{
    for (mp__deadline_t end = mp__os_now() + PATIENCE; mp__os_now() < end; mp__os_sleep(mp__os_now() + PAUSE)) {
        int code = open_claim(&name->claim, name->path, true, name->pool);
        if (code == APR_SUCCESS) {
            if (try_lock(name->claim) && leads_to(name->pool, name->path, name->claim))
                return MP_OK;
            apr_file_close(name->claim); /* somebody took it for a dead one's */
        } else if (APR_STATUS_IS_EEXIST(code)) {
            if (look_at(name->pool, name->path, NULL) == ALIVE)
                return exists(name->text);
        } else if (!APR_STATUS_IS_EACCES(code)) { /* Windows: it is being removed */
            return mp__name_failed("make a name", code);
        }
    }
    return exists(name->text);
}

/* ---- the memory */

/* Within reason: APR does not look whether the mapping was made. */
static mp_status_t check_size(uint64_t bytes)
{
    uint64_t most = mp__os_memory_size(), left = mp__os_address_space_left() / 2;
    if (bytes > most || bytes > left)
        return mp__error(MP_NO_MEMORY, "make named memory", "%llu bytes are more than there is room for",
                         (unsigned long long)bytes);
    return MP_OK;
}

static uint8_t *content_behind(void *base)
{
    uintptr_t at = (uintptr_t)base + sizeof(mp__name_head_t);
    return (uint8_t *)base + sizeof(mp__name_head_t) + (ALIGN - at % ALIGN) % ALIGN;
}

static mp_status_t make_memory(mp__name_t *name, uint64_t bytes)
{
    const char *path = data_path(name);
    apr_shm_remove(path, name->pool); /* of somebody who died before there was a claim like this one */
    int code = apr_shm_create_ex(&name->memory, (apr_size_t)(bytes + sizeof(mp__name_head_t) + ALIGN), path, name->pool,
                                 NAMESPACE);
    if (code != APR_SUCCESS)
        return APR_STATUS_IS_EEXIST(code) ? exists(name->text) : mp__name_failed("make named memory", code);
    void *base = apr_shm_baseaddr_get(name->memory);
    name->head = base;
    name->content = content_behind(base);
    name->bytes = bytes;
    memset(base, 0, (size_t)(name->content - (uint8_t *)base));
    memset(name->content, 0, (size_t)bytes); /* where it lies in a file that was there */
    memcpy(name->head->name, name->text, sizeof name->text);
    name->head->bytes = bytes;
    mp__store32(&name->head->state, OPEN);
    return MP_OK;
}

void mp__name_publish(mp__name_t *name)
{
    mp__store64(&name->head->magic, MAGIC);
}

static void drop_memory(mp__name_t *name)
{
    if (name->memory)
        apr_shm_detach(name->memory);
    name->memory = NULL;
}

/* MP_BUSY: it is being made. */
static mp_status_t attach_memory(mp__name_t *name)
{
    int code = apr_shm_attach_ex(&name->memory, data_path(name), name->pool, NAMESPACE);
    if (code != APR_SUCCESS) {
        name->memory = NULL;
        return APR_STATUS_IS_EACCES(code) || is_limit(code) ? mp__name_failed("open named memory", code) : MP_BUSY;
    }
    uint64_t size = apr_shm_size_get(name->memory), least = sizeof(mp__name_head_t) + ALIGN;
    if (size < least || size > SIZE_MAX / 2)
        return MP_BUSY;
    name->head = apr_shm_baseaddr_get(name->memory);
    if (mp__load64(&name->head->magic) != MAGIC)
        return mp__load64(&name->head->magic) ? mp__error(MP_MISMATCH, "open named memory", "it is of another version")
                                              : MP_BUSY;
    name->content = content_behind(name->head);
    name->bytes = name->head->bytes;
    if (name->bytes > size - least || memcmp(name->head->name, name->text, sizeof name->text) != 0)
        return mp__error(MP_MISMATCH, "open named memory", "it is another name's");
    return mp__load32(&name->head->state) == OPEN ? MP_OK : not_found(name->text);
}

/* ---- the program's end */

/* Others find the name free. The memory stays where it is, because threads that still run may be in it; but some
 * systems remove no file that is mapped. Nothing else is given back, so that a late close meets nobody else's name. */
static void retire(mp__name_t *name)
{
    static mp__name_head_t over = {.state = ENDED};
    if (name->head)
        mp__store32(&name->head->state, ENDED);
    if (name->memory && apr_shm_remove(data_path(name), name->pool) != APR_SUCCESS) {
        name->head = &over;
        apr_shm_destroy(name->memory);
    }
    remove_all(name->pool, name->path, name->claim);
    name->pool = NULL;
}

static void retire_own(void *unused)
{
    (void)unused;
    enter();
    for (mp__name_t *name = own_names, *next; name; name = next) {
        next = name->next;
        if (name->pid != mp__os_pid())
            continue;
        forget_own(name);
        retire(name);
    }
    leave();
}

/* Once a process that has a name; under enter(). */
static mp_status_t watch_end(void)
{
    static int32_t watched;
    mp__finalizer_t *unused;
    if (watched == mp__os_pid())
        return MP_OK;
    mp_status_t status = mp__finalize_add(INT_MIN, retire_own, NULL, &unused);
    if (status == MP_OK)
        watched = mp__os_pid();
    return status;
}

/* ---- making and opening */

static mp_status_t begin(mp__name_t *name, const char *text, const char *kind)
{
    memset(name, 0, sizeof *name);
    if (!is_name(text, NAME_MOST))
        return mp__error(MP_INVALID, STEP, "a name is 1 to %u letters, digits, '_', '-', '.'", NAME_MOST);
    mp_status_t status = mp__family_join();
    if (status == MP_OK)
        status = mp__local_pool(&name->pool);
    if (status != MP_OK)
        return status;
    apr_snprintf(name->text, sizeof name->text, "%s%s", text, kind);
    name->pid = mp__os_pid();
    return find_path(name->pool, name->text, &name->path);
}

/* Lets a sweep remove the name: an object of the arena that ends with this process. */
static mp_status_t announce(mp__name_t *name)
{
    mp_status_t status = mp__object_create(MP__KIND_NAME, &name->header, &name->reference);
    if (status == MP_OK)
        memcpy(name->header->body, name->text, sizeof name->text);
    return status;
}

static mp_status_t create(mp__name_t *name, uint64_t bytes)
{
    if (find_own(name->path))
        return exists(name->text);
    mp_status_t status = watch_end();
    if (status == MP_OK)
        status = announce(name);
    if (status == MP_OK)
        status = claim(name);
    if (status != MP_OK)
        return status;
    name->owner = true;
    name->next = own_names;
    own_names = name;
    return make_memory(name, bytes);
}

mp_status_t mp__name_create(mp__name_t *name, const char *text, const char *kind, uint64_t bytes)
{
    mp_status_t status = begin(name, text, kind);
    if (status == MP_OK)
        status = check_size(bytes);
    if (status == MP_OK) {
        enter();
        status = create(name, bytes);
        leave();
    }
    if (status != MP_OK)
        mp__name_close(name);
    return status;
}

static mp_status_t open_once(mp__name_t *name)
{
    if (!find_own(name->path)) {
        found_t found = look_at(name->pool, name->path, &name->claim);
        if (found == REFUSED)
            return mp_error()->status;
        if (found == NONE)
            return not_found(name->text);
    }
    return attach_memory(name);
}

mp_status_t mp__name_open(mp__name_t *name, const char *text, const char *kind)
{
    mp_status_t status = begin(name, text, kind);
    for (mp__deadline_t end = mp__os_now() + PATIENCE; status == MP_OK; mp__os_sleep(mp__os_now() + PAUSE)) {
        enter();
        status = open_once(name);
        if (status == MP_BUSY) {
            drop_memory(name);
            if (name->claim)
                apr_file_close(name->claim);
            name->claim = NULL;
        }
        leave();
        if (status != MP_BUSY)
            break;
        status = mp__os_now() < end ? MP_OK : not_found(name->text);
    }
    if (status != MP_OK)
        mp__name_close(name);
    return status;
}

/* ---- afterwards */

mp_status_t mp__name_check(mp__name_t *name)
{
    bool over = mp__load32(&name->head->state) == ENDED;
    if (!over && !name->owner && name->claim) {
        enter();
        over = try_lock(name->claim);
        if (over) {
            /* The owner is dead. The claim is unlocked again, so that others see the same. */
            remove_all(name->pool, name->path, name->claim);
            mp__store32(&name->head->state, ENDED);
            apr_file_unlock(name->claim);
        }
        leave();
    }
    return over ? mp__error(MP_GONE, STEP, "the owner of \"%s\" closed it or died", name->text) : MP_OK;
}

mp_status_t mp__name_unlink(mp__name_t *name)
{
    if (!name->owner || name->pid != mp__os_pid())
        return mp__error(MP_NOT_OWNER, "unlink a name", "another process made \"%s\"", name->text);
    uint32_t state = OPEN;
    return mp__cas32(&name->head->state, &state, UNLINKED) ? MP_OK : not_found(name->text);
}

void mp__name_end(mp__name_t *name)
{
    mp__store32(&name->head->state, ENDED);
}

/* Windows removes no file that somebody has mapped: the last one who had it open does. */
static void tidy(mp__name_t *name)
{
    apr_file_t *file;
    if (!find_own(name->path) && open_claim(&file, name->path, true, name->pool) == APR_SUCCESS && try_lock(file))
        remove_all(name->pool, name->path, file);
}

void mp__name_close(mp__name_t *name)
{
    /* In a fork's child all of it is the parent's: destroying the pool would take the name away. */
    if (!name->pool || name->pid != mp__os_pid())
        return;
    const mp_error_t error = *mp_error();
    enter();
    forget_own(name);
    if (name->owner && name->head)
        mp__name_end(name);
    bool over = !name->owner && name->content && mp__load32(&name->head->state) == ENDED;
    if (name->memory && name->owner)
        apr_shm_destroy(name->memory);
    else
        drop_memory(name);
    if (name->owner)
        remove_all(name->pool, name->path, name->claim);
    else if (over)
        tidy(name);
    apr_pool_destroy(name->pool);
    leave();
    if (name->header)
        mp__object_end(name->header, &name->reference, NULL);
    name->pool = NULL;
    mp__error_again(&error);
}

/* ---- the sweep of a dead owner */

static void sweep(const char *text)
{
    apr_pool_t *pool;
    const char *path = NULL;
    if (!is_name(text, MP__NAME_TEXT_MOST - 1) || mp__local_pool(&pool) != MP_OK)
        return;
    enter();
    if (find_path(pool, text, &path) == MP_OK && !find_own(path))
        look_at(pool, path, NULL);
    leave();
    apr_pool_destroy(pool);
}

void mp__name_begin(void)
{
    mp__sweep_name = sweep;
}
