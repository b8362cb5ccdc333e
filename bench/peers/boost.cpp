// Boost.Interprocess: 64-byte items a second through a message_queue, from one process to another.
#include <boost/interprocess/ipc/message_queue.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace ipc = boost::interprocess;

static const unsigned long items = 500000;

static void produce(ipc::message_queue &queue)
{
    const char item[64] = {};
    for (unsigned long i = 0; i <= items; i++)
        queue.send(item, sizeof item, 0);
}

static double consume(ipc::message_queue &queue)
{
    char item[64];
    ipc::message_queue::size_type size;
    unsigned priority;
    queue.receive(item, sizeof item, size, priority);
    const auto began = std::chrono::steady_clock::now();
    for (unsigned long i = 0; i < items; i++)
        queue.receive(item, sizeof item, size, priority);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    return static_cast<double>(items) / took.count();
}

int main()
{
    const std::string name = "mp-bench-" + std::to_string(getpid());
    ipc::message_queue queue(ipc::create_only, name.c_str(), 1024, 64);
    const pid_t producer = fork();
    if (producer < 0)
        return 1;
    if (producer == 0) {
        produce(queue);
        _exit(0);
    }
    const double rate = consume(queue);
    waitpid(producer, nullptr, 0);
    ipc::message_queue::remove(name.c_str());
    std::printf("%.0f\n", rate);
    return 0;
}
