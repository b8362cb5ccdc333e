/* Fork servers that are out of descriptors, that cannot answer, are stopped, or never come to serve. */
#include "../scene.h"
#include "child.h"
#include "system.h"

#include "objects/forkserver.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void use_server(mp_function_t first)
{
    mp_test_objects();
    mp_test_settle = mp_test_end_servers;
    REQUIRE_OK(mp_set_start_method("forkserver", true));
    REQUIRE_OK(mp_set_forkserver_preload(&first, 1));
}

static mp_status_t end_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

static void start_and_end(int code)
{
    mp_process_t *process;
    REQUIRE_OK(mp_process_start(&process, end_with, mp_args(code)));
    mp_test_expect_end(process, code);
}

/* Ends when its parent wants it; until then its server lives. */
static mp_status_t stay(mp_call_t *call)
{
    mp_value_t value;
    return mp_conn_recv(mp_arg_conn(call, 0), &value) == MP_END ? mp_exit(call, 7) : MP_FAILED;
}

/* ---- what a server tells a case */

static char fifo_path[600];

static int open_fifo(void)
{
    snprintf(fifo_path, sizeof fifo_path, "%s/mp-fifo-%ld", mp_test_folder(), mp_test_pid());
    CU_ASSERT_EQUAL_FATAL(mkfifo(fifo_path, 0600), 0);
    setenv("MP_TEST_FIFO", fifo_path, 1);
    int fifo = open(fifo_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CU_ASSERT_FATAL(fifo >= 0);
    return fifo;
}

static void close_fifo(int fifo)
{
    close(fifo);
    unlink(fifo_path);
}

/* In the server: who it is. It stays a writer until it ends. */
static void tell_fifo(void)
{
    pid_t self = getpid();
    int fifo = open(getenv("MP_TEST_FIFO"), O_WRONLY | O_CLOEXEC);
    MP_CHECK(fifo >= 0 && write(fifo, &self, sizeof self) == sizeof self);
}

/* ---- out of descriptors: the requests that follow are understood */

#define ROOM 9u /* less than what comes at once, more than a start needs */

static mp_status_t leave_little_room(mp_call_t *call)
{
    (void)call;
    return mp_test_limit_handles(ROOM) ? MP_OK : MP_FAILED;
}

static mp_status_t write_to_it(mp_call_t *call)
{
    MP_CHECK(write((int)mp_arg_descriptor(call, 0), "x", 1) == 1);
    return MP_OK;
}

MP_CASE(a_server_out_of_descriptors_stays_in_step)
{
    int ends[2];
    mp_value_t many[ROOM + 3];
    mp_process_t *process, *staying;
    mp_conn_t *conn, *theirs;
    char byte = '-';
    use_server(leave_little_room);
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&staying, stay, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    for (size_t i = 0; i < MP__COUNT_OF(many); i++)
        many[i] = mp_descriptor(ends[1]);
    for (int i = 0; i < 3; i++) {
        EXPECT_STATUS(mp_process_start(&process, end_with, (mp_args_t){many, MP__COUNT_OF(many)}), MP_LIMIT);
        REQUIRE_OK(mp_process_start(&process, write_to_it, mp_args(mp_descriptor(ends[1]))));
        mp_test_expect_end(process, 0);
        CU_ASSERT(read(ends[0], &byte, 1) == 1 && byte == 'x');
    }
    close(ends[0]);
    close(ends[1]);
    EXPECT_OK(mp_conn_close(conn));
    mp_test_expect_end(staying, 7);
}

/* ---- the answer says that there is a child, and then the child's sentinel does not come */

static int passing; /* in the server: what becomes of it when it passes a sentinel; 0: nothing */

/* What the library calls instead of the system's own, whose tests cannot be refused at will. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t (*own)(int, const struct msghdr *, int);
    if (passing == ETOOMANYREFS) {
        errno = passing;
        return -1;
    }
    if (passing)
        raise(passing);
    *(void **)(&own) = dlsym(RTLD_NEXT, "sendmsg");
    return own(fd, message, flags);
}

static mp_status_t refuse_to_pass(mp_call_t *call)
{
    (void)call;
    passing = ETOOMANYREFS;
    return MP_OK;
}

static mp_status_t stop_before_passing(mp_call_t *call)
{
    (void)call;
    tell_fifo();
    passing = SIGSTOP;
    return MP_OK;
}

/* The child runs already, or is taken back: both are right. (Where it runs, but cannot be waited for, it is ended.) */
static void expect_child_or(mp_status_t otherwise, const mp_process_options_t *options)
{
    mp_process_t *process;
    mp_conn_t *conn, *theirs;
    int code;
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    mp_status_t status = mp_process_start_with(&process, stay, mp_args(theirs), options);
    EXPECT_OK(mp_conn_close(theirs));
    EXPECT_OK(mp_conn_close(conn));
    CU_ASSERT(status == MP_OK || status == otherwise || (status == MP_DIED && !mp__os_caps()->sentinels));
    if (status != MP_OK)
        return;
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    CU_ASSERT(mp_process_exitcode(process, &code) == MP_DIED || code == 7);
    EXPECT_OK(mp_process_close(process));
}

MP_CASE(a_server_that_cannot_pass_lets_go_of_its_client)
{
    use_server(refuse_to_pass);
    expect_child_or(MP_DIED, NULL);
    expect_child_or(MP_DIED, NULL);
    EXPECT_OK(mp_set_forkserver_preload(NULL, 0));
    start_and_end(5);
}

MP_CASE(a_server_that_stops_in_its_answer_is_waited_for_until_the_deadline)
{
    mp_process_options_t options = {.start_timeout = 0.3};
    pid_t server = 0;
    int fifo = open_fifo();
    use_server(stop_before_passing);
    REQUIRE_OK(mp__forkserver_take(MP__NEVER)); /* it serves, however long that took */
    mp__forkserver_give();
    expect_child_or(MP_TIMEOUT, &options);
    EXPECT_OK(mp_set_forkserver_preload(NULL, 0));
    start_and_end(5);
    while (read(fifo, &server, sizeof server) == sizeof server)
        kill(server, SIGCONT);
    CU_ASSERT(server > 0);
    close_fifo(fifo);
}

/* ---- another thread's: that is waited for no longer either */

static void take_soon(void *status)
{
    *(mp_status_t *)status = mp__forkserver_take(mp__os_now() + 100 * MP__MILLISECOND);
    if (*(mp_status_t *)status == MP_OK)
        mp__forkserver_give();
}

static void take_patiently(void *status)
{
    *(mp_status_t *)status = mp__forkserver_take(MP__NEVER);
    if (*(mp_status_t *)status == MP_OK)
        mp__forkserver_give();
}

MP_CASE(a_busy_server_is_waited_for_until_the_deadline)
{
    mp_status_t soon = MP_OK, late = MP_FAILED;
    mp_test_thread_t impatient = {0}, patient = {0};
    mp_test_objects();
    mp_test_settle = mp_test_end_servers;
    REQUIRE_OK(mp__forkserver_take(MP__NEVER));
    mp_test_thread_start(&impatient, take_soon, &soon);
    mp_test_thread_join(&impatient);
    EXPECT_STATUS(soon, MP_TIMEOUT);
    mp_test_thread_start(&patient, take_patiently, &late);
    mp__forkserver_give();
    mp_test_thread_join(&patient);
    EXPECT_OK(late);
}

/* ---- what is called first never returns: nothing of it stays */

static mp_status_t hang(mp_call_t *call)
{
    (void)call;
    tell_fifo();
    for (;;)
        pause();
    return MP_OK;
}

MP_CASE(a_server_that_never_serves_is_ended)
{
    pid_t server = 0;
    mp_process_options_t options = {.start_timeout = 0.3};
    mp_process_t *process;
    int fifo = open_fifo();
    use_server(hang);
    for (int i = 0; i < 20 && !server; i++) { /* on a busy machine it may not have come so far */
        EXPECT_STATUS(mp_process_start_with(&process, end_with, mp_args(1), &options), MP_TIMEOUT);
        if (read(fifo, &server, sizeof server) != sizeof server)
            server = 0;
    }
    CU_ASSERT(server > 0);
    struct pollfd end = {.fd = fifo, .events = POLLIN};
    CU_ASSERT(poll(&end, 1, (int)(1000 * mp_test_patience())) == 1 && (end.revents & POLLHUP));
    EXPECT_OK(mp_set_forkserver_preload(NULL, 0));
    start_and_end(5);
    close_fifo(fifo);
}

/* ---- a child that closes what tells of its end keeps the server from sleeping only now and then */

static mp_status_t close_all(mp_call_t *call)
{
    MP_CHECK(mp_conn_send(mp_arg_conn(call, 0), (int)getppid()) == MP_OK);
    for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
        close(fd);
    for (;;)
        pause();
    return MP_OK;
}

/* Hundredths of a second of processors; false: the system does not tell. */
static bool time_of(pid_t pid, long *time)
{
    char path[60], text[600] = "";
    long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    const char *behind_name = n ? strrchr(text, ')') : NULL;
    bool told = behind_name &&
                sscanf(behind_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system) == 2;
    *time = user + system;
    return told;
}

MP_CASE(a_child_that_closes_everything_keeps_no_server_busy)
{
    mp_process_t *process;
    mp_conn_t *conn, *theirs;
    mp_value_t server, end;
    long before, after;
    mp_test_objects();
    mp_test_settle = mp_test_end_servers;
    REQUIRE_OK(mp_set_start_method("forkserver", true));
    REQUIRE_OK(mp_pipe(&conn, &theirs, MP_DUPLEX));
    REQUIRE_OK(mp_process_start(&process, close_all, mp_args(theirs)));
    EXPECT_OK(mp_conn_close(theirs));
    REQUIRE_OK(mp_conn_recv(conn, &server));
    EXPECT_STATUS(mp_conn_recv(conn, &end), MP_END);
    bool told = time_of((pid_t)mp_value_int(server), &before);
    mp_sleep(0.5);
    told = told && time_of((pid_t)mp_value_int(server), &after);
    if (told)
        CU_ASSERT(after - before < 20);
    kill((pid_t)mp_process_pid(process), SIGKILL);
    EXPECT_OK(mp_process_join(process, mp_test_patience()));
    EXPECT_OK(mp_process_close(process));
    EXPECT_OK(mp_conn_close(conn));
    if (!told)
        mp_skip("this system does not tell what a process uses");
}

MP_GUARDED_CASES(MP_ROW(a_child_that_closes_everything_keeps_no_server_busy),
                 MP_ROW(a_server_out_of_descriptors_stays_in_step),
                 MP_ROW(a_server_that_cannot_pass_lets_go_of_its_client),
                 MP_ROW(a_server_that_stops_in_its_answer_is_waited_for_until_the_deadline),
                 MP_ROW(a_busy_server_is_waited_for_until_the_deadline), MP_ROW(a_server_that_never_serves_is_ended));
