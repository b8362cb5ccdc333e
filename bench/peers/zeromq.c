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

static void produce(void *socket)
{
    for (int i = 0; i <= ITEMS; i++)
        zmq_send(socket, item, sizeof item, 0);
}

static double consume(void *socket)
{
    zmq_recv(socket, item, sizeof item, 0);
    double began = now();
    for (int i = 0; i < ITEMS; i++)
        zmq_recv(socket, item, sizeof item, 0);
    return ITEMS / (now() - began);
}

static void answer(void *socket)
{
    for (int i = 0; i <= TRIPS; i++) {
        zmq_recv(socket, item, sizeof item, 0);
        zmq_send(socket, item, sizeof item, 0);
    }
}

static double ask(void *socket)
{
    double began = 0;
    for (int i = 0; i <= TRIPS; i++) {
        zmq_send(socket, item, sizeof item, 0);
        zmq_recv(socket, item, sizeof item, 0);
        if (i == 0)
            began = now();
    }
    return (now() - began) * 1e9 / TRIPS;
}

int main(int argc, char **argv)
{
    int trip = argc > 1 && strcmp(argv[1], "trip") == 0;
    char path[64], address[80];
    snprintf(path, sizeof path, "/tmp/mp-bench-%d", (int)getpid());
    snprintf(address, sizeof address, "ipc://%s", path);
    pid_t partner = fork();
    if (partner < 0)
        return 1;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, partner ? (trip ? ZMQ_REQ : ZMQ_PULL) : (trip ? ZMQ_REP : ZMQ_PUSH));
    if (partner ? zmq_bind(socket, address) : zmq_connect(socket, address))
        return 1;
    if (!partner) {
        trip ? answer(socket) : produce(socket);
    } else {
        printf("%.0f\n", trip ? ask(socket) : consume(socket));
    }
    zmq_close(socket);
    zmq_ctx_term(context);
    if (partner) {
        waitpid(partner, NULL, 0);
        unlink(path);
    }
    return 0;
}
