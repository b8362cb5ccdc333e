/* Listeners' files: their modes, other users, what is no dead listener's and stays. */
#include "child.h"
#include "harness.h"
#include "system.h"

#include "core/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* A directory of this case's, and a path in it. */
static char folder[200], path[220];

static void make_folder(void)
{
    mp_test_warm_up();
    snprintf(folder, sizeof folder, "%s/mp-listener-%ld", mp_test_folder(), (long)getpid());
    snprintf(path, sizeof path, "%s/socket", folder);
    CU_ASSERT_EQUAL_FATAL(mkdir(folder, 0755), 0);
}

static void remove_folder(void)
{
    CU_ASSERT_EQUAL(rmdir(folder), 0); /* so it is empty */
}

static bool is_there(const char *file, struct stat *found)
{
    return lstat(file, found) == 0;
}

/* Whatever the umask is, from the moment when somebody can connect. */
MP_CASE(only_its_user_can_open_it)
{
    static const mode_t masks[] = {0, 022, 0777};
    struct stat found;
    char own[300];
    make_folder();
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        mp__os_listener_t *listener, *another;
        mode_t before = umask(masks[i]);
        REQUIRE_OK(mp__os_listen(path, &listener));
        CU_ASSERT(is_there(path, &found) && S_ISSOCK(found.st_mode) && (found.st_mode & 0777) == 0600);
        REQUIRE_OK(mp__os_listen(NULL, &another));
        umask(before);
        mp__os_listener_close(listener);
        CU_ASSERT(!is_there(path, &found));
        snprintf(own, sizeof own, "%s", mp__os_listener_address(another));
        CU_ASSERT(is_there(own, &found) && (found.st_mode & 0777) == 0600);
        *strrchr(own, '/') = '\0';
        CU_ASSERT(is_there(own, &found) && (found.st_mode & 077) == 0);
        mp__os_listener_close(another);
        CU_ASSERT(!is_there(own, &found));
    }
    remove_folder();
}

MP_CASE(no_such_directory)
{
    mp__os_listener_t *listener;
    mp__os_handle_t end;
    make_folder();
    remove_folder();
    EXPECT_STATUS(mp__os_listen(path, &listener), MP_NOT_FOUND);
    EXPECT_STATUS(mp__os_connect(path, &end), MP_NOT_FOUND);
}

/* The directory may be another when it is closed. */
MP_CASE(a_relative_path_is_made_whole)
{
    mp__os_listener_t *listener;
    mp__os_handle_t end;
    char before[300];
    make_folder();
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof before));
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
    REQUIRE_OK(mp__os_listen("socket", &listener));
    REQUIRE_OK(mp__os_connect("socket", &end));
    mp__os_handle_close(end);
    CU_ASSERT_EQUAL_FATAL(chdir(before), 0);
    CU_ASSERT_STRING_EQUAL(mp__os_listener_address(listener), path);
    REQUIRE_OK(mp__os_connect(path, &end));
    mp__os_handle_close(end);
    mp__os_listener_close(listener);
    remove_folder();
}

/* Files, links and others' sockets that are alive are not taken for dead listeners. */
MP_CASE(what_is_there_stays)
{
    mp__os_listener_t *listener;
    mp__os_handle_t end;
    struct stat found;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    make_folder();
    close(open(path, O_CREAT | O_WRONLY, 0600));
    EXPECT_STATUS(mp__os_listen(path, &listener), MP_EXISTS);
    EXPECT_STATUS(mp__os_connect(path, &end), MP_NOT_FOUND);
    CU_ASSERT(is_there(path, &found) && S_ISREG(found.st_mode));
    unlink(path);
    CU_ASSERT_EQUAL(symlink("nowhere", path), 0);
    EXPECT_STATUS(mp__os_listen(path, &listener), MP_EXISTS);
    CU_ASSERT(is_there(path, &found) && S_ISLNK(found.st_mode));
    unlink(path);
    for (int kind = 0; kind < 2; kind++) { /* bound, but not listening: about to */
        int fd = socket(AF_UNIX, kind ? SOCK_DGRAM : SOCK_STREAM, 0);
        strcpy(address.sun_path, path);
        CU_ASSERT_EQUAL(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
        EXPECT_STATUS(mp__os_listen(path, &listener), MP_EXISTS);
        CU_ASSERT(is_there(path, &found));
        close(fd);
        REQUIRE_OK(mp__os_listen(path, &listener)); /* that one is dead now */
        mp__os_listener_close(listener);
        CU_ASSERT(!is_there(path, &found));
    }
    remove_folder();
}

/* The path leads to another's listener when this one is closed. */
MP_CASE(only_its_own_file_is_removed)
{
    mp__os_listener_t *first, *second;
    mp__os_handle_t end;
    make_folder();
    REQUIRE_OK(mp__os_listen(path, &first));
    unlink(path);
    REQUIRE_OK(mp__os_listen(path, &second));
    mp__os_listener_close(first);
    REQUIRE_OK(mp__os_connect(path, &end));
    mp__os_handle_close(end);
    mp__os_listener_close(second);
    remove_folder();
}

#define HEIRS  4
#define ROUNDS 500

static uint32_t rounds_begun, arrived;

typedef struct heir {
    mp_test_thread_t thread;
    mp__os_listener_t *listeners[ROUNDS];
} heir_t;

/* All at once in each round, which begins when there is a dead one's file. */
static void inherit(void *context)
{
    heir_t *heir = context;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        while (mp__load32(&rounds_begun) <= i)
            mp__os_yield();
        mp_status_t status = mp__os_listen(path, &heir->listeners[i]);
        MP_CHECK(status == MP_OK || status == MP_EXISTS);
        mp__add32(&arrived, 1);
    }
}

MP_CASE(a_dead_ones_path_has_one_heir)
{
    static heir_t heirs[HEIRS];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    make_folder();
    strcpy(address.sun_path, path);
    for (int i = 0; i < HEIRS; i++)
        mp_test_thread_start(&heirs[i].thread, inherit, &heirs[i]);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0), winners = 0;
        mp__os_handle_t end;
        CU_ASSERT_EQUAL(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
        close(fd);
        mp__add32(&rounds_begun, 1);
        while (mp__load32(&arrived) < (i + 1) * HEIRS)
            mp__os_yield();
        EXPECT_OK(mp__os_connect(path, &end));
        mp__os_handle_close(end);
        for (int h = 0; h < HEIRS; h++) {
            winners += heirs[h].listeners[i] != NULL;
            mp__os_listener_close(heirs[h].listeners[i]);
        }
        CU_ASSERT_EQUAL(winners, 1);
    }
    for (int i = 0; i < HEIRS; i++)
        mp_test_thread_join(&heirs[i].thread);
    remove_folder();
}

/* Bound there; closed, it is a dead one. */
static int bind_there(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, path);
    CU_ASSERT_EQUAL(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void expect_listening(void)
{
    mp__os_listener_t *listener;
    struct stat found;
    REQUIRE_OK(mp__os_listen(path, &listener));
    mp__os_listener_close(listener);
    CU_ASSERT(!is_there(path, &found));
}

/* One that is bound and does not listen is nobody who has no room. */
MP_CASE(who_never_listens_is_not_found)
{
    mp__os_handle_t end;
    make_folder();
    int fd = bind_there();
    EXPECT_STATUS(mp__os_connect(path, &end), MP_NOT_FOUND);
    close(fd);
    EXPECT_STATUS(mp__os_connect(path, &end), MP_NOT_FOUND);
    unlink(path);
    remove_folder();
}

/* Then nobody can tell whether it is dead. */
MP_CASE(no_descriptor_to_look_with)
{
    mp__os_listener_t *listener;
    mp__os_handle_t end;
    make_folder();
    if (!mp_test_limit_handles(1))
        mp_skip("the system sets no limit to a process's handles");
    mp_test_lift_limits();
    mp_test_baseline();
    close(bind_there());
    CU_ASSERT(mp_test_limit_handles(1));
    EXPECT_STATUS(mp__os_listen(path, &listener), MP_LIMIT);
    EXPECT_STATUS(mp__os_connect(path, &end), MP_NOT_FOUND);
    mp_test_lift_limits();
    expect_listening();
    remove_folder();
}

/* Anybody can lock the directory, and it need not be readable. */
MP_CASE(a_dead_ones_directory_needs_no_lock)
{
    make_folder();
    int fd = open(folder, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    close(bind_there());
    expect_listening();
    close(fd);
    remove_folder();
}

MP_CASE(a_directory_that_cannot_be_read)
{
    make_folder();
    CU_ASSERT_EQUAL(chmod(folder, 0300), 0);
    bool root = geteuid() == 0;
    CU_ASSERT(!root || (chown(folder, NOBODY, NOBODY) == 0 && seteuid(NOBODY) == 0));
    close(bind_there());
    expect_listening();
    CU_ASSERT(!root || seteuid(0) == 0);
    remove_folder();
}

MP_CASE(the_lock_of_a_dead_ones_path)
{
    mp__os_listener_t *listener;
    struct stat found;
    char lock[240];
    make_folder();
    snprintf(lock, sizeof lock, "%s.lock", path);
    close(bind_there());
    CU_ASSERT_EQUAL(symlink(folder, lock), 0);
    EXPECT_STATUS(mp__os_listen(path, &listener), MP_EXISTS);
    CU_ASSERT(is_there(lock, &found) && S_ISLNK(found.st_mode));
    unlink(lock);
    int fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    CU_ASSERT_EQUAL(flock(fd, LOCK_EX), 0);
    EXPECT_STATUS(mp__os_listen(path, &listener), MP_TIMEOUT);
    CU_ASSERT(is_there(lock, &found) && is_there(path, &found));
    close(fd); /* killed while it had it */
    expect_listening();
    CU_ASSERT(!is_there(lock, &found));
    remove_folder();
}

/* A process's directory before there is a socket in it. */
static void make_place(char *place, size_t size, long pid)
{
    snprintf(place, size, "%s/multiproc-listener-%ld-abcdef", folder, pid);
    CU_ASSERT_EQUAL(mkdir(place, 0700), 0);
}

MP_CASE(a_living_process_keeps_its_directory)
{
    mp__os_listener_t *listener;
    struct stat found;
    char living[300], dead[300], before[300];
    const char *set = getenv("TMPDIR");
    make_folder();
    snprintf(before, sizeof before, "%s", set ? set : "");
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    make_place(living, sizeof living, (long)getppid());
    make_place(dead, sizeof dead, (long)pid);
    CU_ASSERT_EQUAL(setenv("TMPDIR", folder, 1), 0);
    REQUIRE_OK(mp__os_listen(NULL, &listener));
    CU_ASSERT_EQUAL(strncmp(mp__os_listener_address(listener), folder, strlen(folder)), 0);
    mp__os_listener_close(listener);
    CU_ASSERT(is_there(living, &found));
    CU_ASSERT(!is_there(dead, &found));
    rmdir(living);
    if (set)
        setenv("TMPDIR", before, 1);
    else
        unsetenv("TMPDIR");
    remove_folder();
}

static void close_copy(void *listener)
{
    mp__os_listener_close(listener);
}

MP_CASE(a_forked_child_leaves_the_address_to_its_parent)
{
    mp__os_listener_t *listener;
    mp__os_handle_t end;
    make_folder();
    REQUIRE_OK(mp__os_listen(path, &listener));
    CU_ASSERT(mp_test_fork(close_copy, listener));
    REQUIRE_OK(mp__os_connect(path, &end));
    mp__os_handle_close(end);
    mp__os_listener_close(listener);
    remove_folder();
}

/* ---- other users */

/* What another user's process gets from connecting there. */
static int connect_as_nobody(const char *address)
{
    int result = 0;
    pid_t pid = fork();
    if (pid == 0) {
        mp__os_handle_t end;
        _exit(setgid(NOBODY) < 0 || setuid(NOBODY) < 0 ? 99 : (int)mp__os_connect(address, &end));
    }
    CU_ASSERT_EQUAL(waitpid(pid, &result, 0), pid);
    return WEXITSTATUS(result);
}

static void need_root(void)
{
    if (geteuid() != 0) {
        remove_folder();
        mp_skip("only root can be another user");
    }
}

MP_CASE(another_user_is_refused_by_the_file)
{
    mp__os_listener_t *listener;
    make_folder();
    need_root();
    REQUIRE_OK(mp__os_listen(path, &listener));
    CU_ASSERT_EQUAL(connect_as_nobody(path), MP_DENIED);
    mp__os_listener_close(listener);
    remove_folder();
}

/* Should the file let him: who asks for the next that came does not see him. */
MP_CASE(another_user_is_turned_away)
{
    mp__os_listener_t *listener;
    mp__os_handle_t stranger, client, server;
    char byte;
    make_folder();
    need_root();
    REQUIRE_OK(mp__os_listen(path, &listener));
    CU_ASSERT_EQUAL(chmod(path, 0666), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    stranger = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(seteuid(NOBODY), 0);
    int connected = connect((int)stranger, (const struct sockaddr *)&address, sizeof address);
    CU_ASSERT_EQUAL_FATAL(seteuid(0), 0);
    CU_ASSERT_EQUAL(connected, 0);
    EXPECT_STATUS(mp__os_accept(listener, &server), MP_TIMEOUT);
    EXPECT_STATUS(mp__os_channel_read(stranger, &byte, 1), MP_END);
    CU_ASSERT_EQUAL(connect_as_nobody(path), MP_DENIED); /* the other way round, too */
    REQUIRE_OK(mp__os_connect(path, &client));
    EXPECT_OK(mp__os_channel_write(client, "x", 1));
    REQUIRE_OK(mp__os_accept(listener, &server));
    EXPECT_OK(mp__os_channel_read(server, &byte, 1));
    mp__os_handle_close(stranger);
    mp__os_handle_close(client);
    mp__os_handle_close(server);
    mp__os_listener_close(listener);
    remove_folder();
}

/* Neither its directory nor its socket is one's own. */
MP_CASE(another_users_place_is_denied)
{
    mp__os_listener_t *listener;
    mp__os_handle_t end;
    make_folder();
    need_root();
    CU_ASSERT_EQUAL_FATAL(seteuid(NOBODY), 0);
    EXPECT_STATUS(mp__os_listen(path, &listener), MP_DENIED);
    CU_ASSERT_EQUAL_FATAL(seteuid(0), 0);
    REQUIRE_OK(mp__os_listen(path, &listener));
    CU_ASSERT_EQUAL_FATAL(seteuid(NOBODY), 0);
    EXPECT_STATUS(mp__os_connect(path, &end), MP_DENIED);
    CU_ASSERT_EQUAL_FATAL(seteuid(0), 0);
    mp__os_listener_close(listener);
    remove_folder();
}

MP_CASES(MP_ROW(only_its_user_can_open_it), MP_ROW(no_such_directory), MP_ROW(a_relative_path_is_made_whole),
         MP_ROW(what_is_there_stays), MP_ROW(only_its_own_file_is_removed), MP_ROW(a_dead_ones_path_has_one_heir),
         MP_ROW(who_never_listens_is_not_found), MP_ROW(no_descriptor_to_look_with),
         MP_ROW(a_dead_ones_directory_needs_no_lock), MP_ROW(a_directory_that_cannot_be_read),
         MP_ROW(the_lock_of_a_dead_ones_path), MP_ROW(a_living_process_keeps_its_directory),
         MP_ROW(a_forked_child_leaves_the_address_to_its_parent), MP_ROW(another_user_is_refused_by_the_file),
         MP_ROW(another_user_is_turned_away), MP_ROW(another_users_place_is_denied));
