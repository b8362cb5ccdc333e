/* POSIX message queues: 64-byte items a second from one process to another. */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ITEMS 200000

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(void)
{
    char name[64], item[64] = {0};
    struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = sizeof item}; /* more is for the privileged */
    snprintf(name, sizeof name, "/mp-bench-%d", (int)getpid());
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes);
    if (queue == (mqd_t)-1)
        return 1;
    mq_unlink(name);
    pid_t producer = fork();
    if (producer < 0)
        return 1;
    if (producer == 0) {
        for (int i = 0; i <= ITEMS; i++)
            mq_send(queue, item, sizeof item, 0);
        _exit(0);
    }
    mq_receive(queue, item, sizeof item, NULL);
    double began = now();
    for (int i = 0; i < ITEMS; i++)
        mq_receive(queue, item, sizeof item, NULL);
    printf("%.0f\n", ITEMS / (now() - began));
    waitpid(producer, NULL, 0);
    return 0;
}
