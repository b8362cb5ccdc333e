"""Python's multiprocessing: prints one figure of what mp_bench measures for the library."""

import multiprocessing
import statistics
import sys
import time

QUEUE_ITEMS = 50_000
LOCK_TIMES = 500_000
TRIPS = 5_000
MESSAGES = 50
SIZE = 1 << 20
STARTS = 20


def produce(queue, item, count):
    for _ in range(count):
        queue.put(item)


def rate_of(queue, item, count):
    """Items a second from another process to this one."""
    producer = multiprocessing.Process(target=produce, args=(queue, item, count + 1))
    producer.start()
    queue.get()
    began = time.monotonic()
    for _ in range(count):
        queue.get()
    took = time.monotonic() - began
    producer.join()
    return count / took


def answer(end, count):
    for _ in range(count):
        end.send_bytes(end.recv_bytes())


def trip():
    """Nanoseconds for 64 bytes through a Pipe and back."""
    mine, other = multiprocessing.Pipe()
    item = bytes(64)
    partner = multiprocessing.Process(target=answer, args=(other, TRIPS + 1))
    partner.start()
    mine.send_bytes(item)
    mine.recv_bytes()
    began = time.monotonic()
    for _ in range(TRIPS):
        mine.send_bytes(item)
        mine.recv_bytes()
    took = time.monotonic() - began
    partner.join()
    return took * 1e9 / TRIPS


def lock():
    """Nanoseconds for acquire and release of a free Lock."""
    held = multiprocessing.Lock()
    acquire, release = held.acquire, held.release
    began = time.monotonic()
    for _ in range(LOCK_TIMES):
        acquire()
        release()
    return (time.monotonic() - began) * 1e9 / LOCK_TIMES


def nothing():
    pass


def start(method):
    """Microseconds for start and join of a process that does nothing."""
    context = multiprocessing.get_context(method)
    times = []
    for _ in range(STARTS + 1):
        began = time.monotonic()
        process = context.Process(target=nothing)
        process.start()
        process.join()
        times.append(time.monotonic() - began)
    return statistics.median(times[1:]) * 1e6


FIGURES = {
    "lock": lock,
    "queue": lambda: rate_of(multiprocessing.Queue(), bytes(64), QUEUE_ITEMS),
    "value": lambda: rate_of(multiprocessing.Queue(), [42, None, "hello"], QUEUE_ITEMS),
    "bytes": lambda: rate_of(multiprocessing.Queue(4), bytes(SIZE), MESSAGES) * SIZE,
    "trip": trip,
    "spawn": lambda: start("spawn"),
    "fork": lambda: start("fork"),
}

if __name__ == "__main__":
    print(FIGURES[sys.argv[1]]())
