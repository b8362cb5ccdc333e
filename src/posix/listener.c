/* Listeners: sockets with a path.
 *
 * A path outlives its socket where the process was killed. Whether a socket is behind it a datagram socket finds out
 * without being noticed: connecting that one to a living stream socket fails in another way than to a dead one's path.
 * So one that is bound already and does not listen yet is not mistaken for a dead one. Only who replaces a dead one
 * must be alone with it, and locks a file beside it meanwhile: of this user's alone, so that nobody else holds it, and
 * gone with the lock. */
#include "posix/posix.h"

#include "core/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Of addresses of our own choice: a directory that only this user can enter, and the socket in it. */
#define FOLDER_PREFIX "multiproc-listener-"
#define OWN_SOCKET    "/s"
#define OWN_TRIES     16 /* who is blind to this process, as in another container, may take it for a dead one's */

#define LOCK_SUFFIX ".lock" /* of a path where somebody replaces a dead one */

#define BACKLOG  128
#define PATIENCE (2 * MP__SECOND)
#define PAUSE    MP__MILLISECOND

struct mp__os_listener {
    int fd;
    pid_t maker;
    bool removed;
    bool own_folder;
    dev_t device; /* what is at the path is ours if it is this file */
    ino_t file;
    struct sockaddr_un address;
};

static const char listening[] = "listen", accepting[] = "accept a connection", connecting[] = "connect",
                  replacing[] = "replace a dead listener";

/* ---- addresses */

static mp_status_t listener_error(const char *step, int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        return mp__error_native(MP_NOT_FOUND, step, code);
    case EACCES:
    case EPERM:
    case EROFS:
        return mp__error_native(MP_DENIED, step, code);
    case ENAMETOOLONG:
        return mp__error_native(MP_TOO_LARGE, step, code);
    case EADDRINUSE:
        return mp__error_native(MP_EXISTS, step, code);
    default:
        return mp__posix_error(step, code);
    }
}

static mp_status_t too_long(const char *step)
{
    return mp__error(MP_TOO_LARGE, step, "an address has %zu bytes at most",
                     sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
}

static mp_status_t set_address(struct sockaddr_un *address, const char *path, const char *step)
{
    memset(address, 0, sizeof *address);
    if (!path[0])
        return mp__error(MP_INVALID, step, "an empty address");
    if (strlen(path) >= sizeof address->sun_path)
        return too_long(step);
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    return MP_OK;
}

/* Whole, because the directory of this process may be another when it is to be removed. */
static mp_status_t set_whole_address(struct sockaddr_un *address, const char *path)
{
    char folder[PATH_MAX], whole[PATH_MAX];
    if (path[0] == '/' || !path[0])
        return set_address(address, path, listening);
    if (!getcwd(folder, sizeof folder))
        return listener_error(listening, errno);
    if (snprintf(whole, sizeof whole, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, path) >= (int)sizeof whole)
        return too_long(listening);
    return set_address(address, whole, listening);
}

/* ---- dead ones */

/* Is no living socket behind it? -1: no telling now, and errno. */
static int is_dead(const struct sockaddr_un *address)
{
    int fd = mp__posix_raw_socket(SOCK_DGRAM);
    if (fd < 0)
        return -1;
    int dead = connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
    mp__posix_close(fd);
    return dead;
}

/* Is it a dead socket of this user's? The same answers. What was found is still there after the question. */
static int is_leaving(const struct sockaddr_un *address, struct stat *found)
{
    int dead = is_dead(address);
    return dead <= 0 ? dead
                     : lstat(address->sun_path, found) == 0 && S_ISSOCK(found->st_mode) && found->st_uid == geteuid();
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* 0; EEXIST: no file of this user's is there; EWOULDBLOCK: another has it, or had it until now; or an error number. */
static int try_lock(const char *path, int *lock)
{
    struct stat opened, found;
    int fd = mp__posix_lift(
        open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR));
    int code = fd < 0 || fstat(fd, &opened) < 0 ? errno : 0;
    if (!code && opened.st_uid == geteuid())
        fchmod(fd, S_IRUSR | S_IWUSR); /* the umask may have taken this user's own rights */
    if (!code && flock(fd, LOCK_EX | LOCK_NB) < 0)
        code = errno == EINTR ? EWOULDBLOCK : errno;
    if (lstat(path, &found) < 0)
        code = code ? code : EWOULDBLOCK;
    else if (!S_ISREG(found.st_mode) || found.st_uid != geteuid())
        code = EEXIST;
    else if (!code && !is_same(&opened, &found))
        code = EWOULDBLOCK;
    if (code)
        mp__posix_close(fd);
    *lock = fd;
    return code;
}

static mp_status_t take_lock(const char *path, int *lock)
{
    mp__deadline_t end = mp__os_now() + PATIENCE;
    int code;
    while ((code = try_lock(path, lock)) == EWOULDBLOCK && mp__os_now() < end)
        mp__os_sleep(mp__os_now() + PAUSE);
    if (code == EWOULDBLOCK)
        return mp__error(MP_TIMEOUT, replacing, "another process holds %s", path);
    if (code == EEXIST)
        return mp__error(MP_EXISTS, replacing, "%s is no file of this user's", path);
    return code ? listener_error(replacing, code) : MP_OK;
}

/* Unlocked as well: a fork's child may have a copy of the descriptor. */
static void give_lock_back(const char *path, int lock)
{
    unlink(path);
    flock(lock, LOCK_UN);
    mp__posix_close(lock);
}

static int bind_once(const mp__os_listener_t *listener)
{
    return bind(listener->fd, (const struct sockaddr *)&listener->address, sizeof listener->address) < 0 ? errno : 0;
}

/* The lock is held. A path is seen a moment before a socket is behind it, but no other bind() fails before that moment
 * is over: what was there before one that failed, and is dead after it, is no newcomer. */
static int bind_instead(const mp__os_listener_t *listener)
{
    struct stat before, now;
    bool known = lstat(listener->address.sun_path, &before) == 0;
    int code = bind_once(listener);
    int leaving = code == EADDRINUSE && known ? is_leaving(&listener->address, &now) : 0;
    if (leaving < 0)
        return errno;
    if (!leaving || !is_same(&before, &now))
        return code;
    return unlink(listener->address.sun_path) < 0 && errno != ENOENT ? errno : bind_once(listener);
}

/* Something is at the path. */
static mp_status_t replace(const mp__os_listener_t *listener)
{
    char path[sizeof listener->address.sun_path + sizeof LOCK_SUFFIX];
    struct stat found;
    int lock, code, leaving = is_leaving(&listener->address, &found);
    if (leaving < 0)
        return mp__posix_error(replacing, errno);
    if (!leaving) { /* unless it has gone meanwhile */
        code = bind_once(listener);
        return code ? listener_error(listening, code) : MP_OK;
    }
    snprintf(path, sizeof path, "%s" LOCK_SUFFIX, listener->address.sun_path);
    mp_status_t status = take_lock(path, &lock);
    if (status != MP_OK)
        return status;
    code = bind_instead(listener);
    give_lock_back(path, lock);
    return code ? listener_error(replacing, code) : MP_OK;
}

/* Whose directory of that name is it? */
static bool maker_lives(const char *name)
{
    char *end;
    long pid = strtol(name + strlen(FOLDER_PREFIX), &end, 10);
    return *end != '-' || pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* A directory of our own choice, if nobody alive is in it. Its name never comes again, so nothing has to be locked. */
static void clear_folder(const char *path)
{
    struct stat found;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (lstat(path, &found) < 0 || !S_ISDIR(found.st_mode) || found.st_uid != geteuid() ||
        snprintf(address.sun_path, sizeof address.sun_path, "%s" OWN_SOCKET, path) >= (int)sizeof address.sun_path)
        return;
    if (is_leaving(&address, &found) == 1)
        unlink(address.sun_path);
    rmdir(path); /* unless there is something in it */
}

static void clear_folders(const char *base)
{
    DIR *directory = opendir(base);
    const struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        char path[PATH_MAX];
        if (strncmp(entry->d_name, FOLDER_PREFIX, strlen(FOLDER_PREFIX)) == 0 && !maker_lives(entry->d_name) &&
            snprintf(path, sizeof path, "%s/%s", base, entry->d_name) < (int)sizeof path)
            clear_folder(path);
    }
    if (directory)
        closedir(directory);
}

/* ---- making one */

static bool is_ours(const mp__os_listener_t *listener)
{
    struct stat found;
    return lstat(listener->address.sun_path, &found) == 0 && found.st_dev == listener->device &&
           found.st_ino == listener->file;
}

/* A new one for each attempt: one that was bound once cannot be bound again. */
static mp_status_t open_socket(mp__os_listener_t *listener)
{
    mp__posix_close(listener->fd);
    listener->fd = mp__posix_lift(mp__posix_raw_socket(SOCK_STREAM));
    if (listener->fd < 0)
        return mp__posix_error(listening, errno);
    fchmod(listener->fd, S_IRUSR | S_IWUSR); /* where sockets have a mode, the path is born with it */
    return MP_OK;
}

/* Nobody can connect before listen(); so mode and path are settled when somebody can. */
static mp_status_t bind_to(mp__os_listener_t *listener)
{
    const char *path = listener->address.sun_path;
    struct stat made;
    mp_status_t status = open_socket(listener);
    if (status != MP_OK)
        return status;
    int code = bind_once(listener);
    if (code)
        status = code == EADDRINUSE ? replace(listener) : listener_error(listening, code);
    if (status != MP_OK)
        return status;
    if (lstat(path, &made) < 0)
        return listener_error(listening, errno);
    listener->device = made.st_dev;
    listener->file = made.st_ino;
    listener->removed = false;
    if (chmod(path, S_IRUSR | S_IWUSR) < 0 || fcntl(listener->fd, F_SETFL, O_NONBLOCK) < 0 ||
        listen(listener->fd, BACKLOG) < 0)
        return listener_error(listening, errno);
    return is_ours(listener) ? MP_OK : mp__error(MP_NOT_FOUND, listening, "somebody has removed its file");
}

static mp_status_t bind_below(mp__os_listener_t *listener, const char *base)
{
    char folder[sizeof listener->address.sun_path - sizeof OWN_SOCKET];
    if (snprintf(folder, sizeof folder, "%s/" FOLDER_PREFIX "%ld-XXXXXX", base, (long)listener->maker) >=
        (int)sizeof folder)
        return too_long(listening);
    if (!mkdtemp(folder) || chmod(folder, S_IRWXU) < 0) /* the umask may take this user's own rights, too */
        return listener_error("make a directory for a listener", errno);
    listener->address.sun_family = AF_UNIX;
    snprintf(listener->address.sun_path, sizeof listener->address.sun_path, "%s" OWN_SOCKET, folder);
    mp_status_t status = bind_to(listener);
    if (status != MP_OK) {
        mp__os_listener_remove(listener);
        rmdir(folder);
    }
    return status;
}

static mp_status_t bind_anywhere(mp__os_listener_t *listener)
{
    const char *wanted = mp__posix_is_privileged() ? NULL : getenv("TMPDIR");
    const char *base =
        wanted && wanted[0] == '/' && strlen(wanted) <= sizeof listener->address.sun_path / 2 ? wanted : "/tmp";
    mp_status_t status = MP_NOT_FOUND;
    listener->own_folder = true;
    clear_folders(base);
    for (int tries = 0; tries < OWN_TRIES && status == MP_NOT_FOUND; tries++)
        status = bind_below(listener, base);
    return status;
}

mp_status_t mp__os_listen(const char *address, mp__os_listener_t **out)
{
    *out = NULL;
    mp__os_listener_t *listener = calloc(1, sizeof *listener);
    if (!listener)
        return mp__posix_error(listening, ENOMEM);
    listener->maker = getpid();
    listener->removed = true;
    listener->fd = -1;
    mp_status_t status = address ? set_whole_address(&listener->address, address) : MP_OK;
    if (status == MP_OK)
        status = address ? bind_to(listener) : bind_anywhere(listener);
    if (status == MP_OK)
        *out = listener;
    else
        mp__os_listener_close(listener);
    return status;
}

const char *mp__os_listener_address(const mp__os_listener_t *listener)
{
    return listener->address.sun_path;
}

mp__os_handle_t mp__os_listener_handle(const mp__os_listener_t *listener)
{
    return listener->fd;
}

/* ---- its end */

void mp__os_listener_remove(mp__os_listener_t *listener)
{
    char *path = listener->address.sun_path;
    if (listener->removed || listener->maker != getpid())
        return;
    listener->removed = true;
    if (is_ours(listener))
        unlink(path);
    if (listener->own_folder) {
        char folder[sizeof listener->address.sun_path];
        snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen(OWN_SOCKET)), path);
        rmdir(folder);
    }
}

void mp__os_listener_close(mp__os_listener_t *listener)
{
    if (!listener)
        return;
    mp__os_listener_remove(listener);
    mp__posix_close(listener->fd);
    free(listener);
}

/* ---- those who meet there */

/* 0: it is this user's; EACCES: another's; ENOSYS: the system does not tell; or another error number. */
static int check_user(int fd)
{
    uid_t user;
    if (mp__posix_peer(fd, &user) < 0)
        return errno;
    return user == geteuid() ? 0 : EACCES;
}

static mp_status_t nobody_tells(const char *step)
{
    return mp__error(MP_UNSUPPORTED, step, "this system does not tell whose process is at the other end");
}

/* -1: nobody is there, or errno. */
static int accept_any(int listener)
{
    int fd;
    do {
        fd = mp__posix_raw_accept(listener);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd;
}

mp_status_t mp__os_accept(mp__os_listener_t *listener, mp__os_handle_t *end)
{
    int fd, code = 0;
    while ((fd = accept_any(listener->fd)) >= 0 && (code = check_user(fd)) != 0) {
        mp__posix_close(fd);
        if (code == ENOSYS)
            return nobody_tells(accepting);
    }
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return mp__error_native(MP_TIMEOUT, accepting, errno);
    fd = mp__posix_lift(fd);
    if (fd < 0 || !mp__posix_no_signal(fd)) {
        code = errno;
        mp__posix_close(fd);
        return mp__posix_error(accepting, code);
    }
    *end = fd;
    return MP_OK;
}

/* Why connect() failed. A full queue is EAGAIN, or looks like a dead one's, or like one that does not listen. */
static mp_status_t refused(const struct sockaddr_un *address, int code)
{
    int dead = code == ECONNREFUSED && mp__posix_full_is_refused() ? is_dead(address) : 1;
    if (dead < 0)
        return mp__posix_error(connecting, errno);
    if (code == EAGAIN || !dead)
        return mp__error_native(MP_BUSY, connecting, code);
    if (code == ECONNREFUSED || code == ENOTSOCK || code == EPROTOTYPE)
        return mp__error_native(MP_NOT_FOUND, connecting, code);
    return listener_error(connecting, code);
}

static mp_status_t connect_to(int fd, const struct sockaddr_un *address)
{
    /* It does not wait: there is no way to wait until then. */
    int flags = fcntl(fd, F_GETFL);
    int code = flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? errno : 0;
    if (code)
        return mp__posix_error(connecting, code);
    while (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        if (errno != EINTR)
            return refused(address, errno);
    code = check_user(fd);
    if (code == ENOSYS)
        return nobody_tells(connecting);
    if (code == EACCES)
        return mp__error(MP_DENIED, connecting, "another user listens there");
    if (code)
        return listener_error(connecting, code);
    if (fcntl(fd, F_SETFL, flags) < 0 || !mp__posix_no_signal(fd))
        return mp__posix_error(connecting, errno);
    return MP_OK;
}

mp_status_t mp__os_connect(const char *address, mp__os_handle_t *end)
{
    struct sockaddr_un there;
    mp_status_t status = set_address(&there, address, connecting);
    if (status != MP_OK)
        return status;
    int fd = mp__posix_lift(mp__posix_raw_socket(SOCK_STREAM));
    if (fd < 0)
        return mp__posix_error(connecting, errno);
    status = connect_to(fd, &there);
    if (status == MP_OK)
        *end = fd;
    else
        mp__posix_close(fd);
    return status;
}
