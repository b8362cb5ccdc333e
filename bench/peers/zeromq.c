/* ZeroMQ over ipc: 64-byte items a second (PUSH, PULL), or nanoseconds for one and back (REQ, REP), between two
 * processes. */
#include <zmq.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ITEMS 300000
#define TRIPS 10000

static char item[64];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What is lost on the way never comes: then there is no figure, and nobody waits for ever. */
#define PATIENCE 20000 /* milliseconds */

static int put(void *socket)
{
    return zmq_send(socket, item, sizeof item, 0) == (int)sizeof item;
}

static int get(void *socket)
{
    return zmq_recv(socket, item, sizeof item, 0) == (int)sizeof item;
}

static int produce(void *socket)
{
    for (int i = 0; i <= ITEMS; i++)
        if (!put(socket))
            return 0;
    return 1;
}

static double consume(void *socket)
{
    if (!get(socket))
        return 0;
    double began = now();
    for (int i = 0; i < ITEMS; i++)
        if (!get(socket))
            return 0;
    return ITEMS / (now() - began);
}

static int answer(void *socket)
{
    for (int i = 0; i <= TRIPS; i++)
        if (!get(socket) || !put(socket))
            return 0;
    return 1;
}

static double ask(void *socket)
{
    double began = 0;
    for (int i = 0; i <= TRIPS; i++) {
        if (!put(socket) || !get(socket))
            return 0;
        if (i == 0)
            began = now();
    }
    return (now() - began) * 1e9 / TRIPS;
}

static void *open_socket(void *context, int type)
{
    static const int options[] = {ZMQ_RCVTIMEO, ZMQ_SNDTIMEO, ZMQ_LINGER};
    const int most = PATIENCE;
    void *socket = zmq_socket(context, type);
    for (size_t i = 0; socket && i < sizeof options / sizeof options[0]; i++)
        zmq_setsockopt(socket, options[i], &most, sizeof most);
    return socket;
}

/* The child: it connects once there is somebody to connect to. */
static int take_part(const char *address, int trip, int gate)
{
    char byte;
    if (read(gate, &byte, 1) != 1)
        return 1;
    void *context = zmq_ctx_new(), *socket = open_socket(context, trip ? ZMQ_REP : ZMQ_PUSH);
    int good = zmq_connect(socket, address) == 0 && (trip ? answer(socket) : produce(socket));
    zmq_close(socket);
    zmq_ctx_term(context);
    return !good;
}

static double lead(const char *address, int trip, int gate)
{
    void *context = zmq_ctx_new(), *socket = open_socket(context, trip ? ZMQ_REQ : ZMQ_PULL);
    double figure = 0;
    if (zmq_bind(socket, address) == 0 && write(gate, "", 1) == 1)
        figure = trip ? ask(socket) : consume(socket);
    zmq_close(socket);
    zmq_ctx_term(context);
    return figure;
}

int main(int argc, char **argv)
{
    int trip = argc > 1 && strcmp(argv[1], "trip") == 0, gate[2];
    char path[64], address[80];
    snprintf(path, sizeof path, "/tmp/mp-bench-%d", (int)getpid());
    snprintf(address, sizeof address, "ipc://%s", path);
    pid_t partner = pipe(gate) == 0 ? fork() : -1;
    if (partner < 0)
        return 1;
    if (partner == 0) {
        close(gate[1]);
        return take_part(address, trip, gate[0]);
    }
    close(gate[0]);
    double figure = lead(address, trip, gate[1]);
    close(gate[1]);
    waitpid(partner, NULL, 0);
    unlink(path);
    if (figure == 0)
        return 1;
    printf("%.0f\n", figure);
    return 0;
}
