/**
 * @file multiproc.h
 * Python's multiprocessing for C: processes, pipes, queues, locks, managers and pools, the same program on Linux, macOS
 * and Windows.
 */
#ifndef MULTIPROC_H
#define MULTIPROC_H

#include <multiproc/barrier.h>
#include <multiproc/call.h>
#include <multiproc/condition.h>
#include <multiproc/connection.h>
#include <multiproc/event.h>
#include <multiproc/lease.h>
#include <multiproc/lend.h>
#include <multiproc/listener.h>
#include <multiproc/lock.h>
#include <multiproc/log.h>
#include <multiproc/manager.h>
#include <multiproc/named.h>
#include <multiproc/pool.h>
#include <multiproc/print.h>
#include <multiproc/process.h>
#include <multiproc/process_control.h>
#include <multiproc/process_options.h>
#include <multiproc/process_watch.h>
#include <multiproc/queue.h>
#include <multiproc/rlock.h>
#include <multiproc/runtime.h>
#include <multiproc/semaphore.h>
#include <multiproc/shareable_list.h>
#include <multiproc/shared_array.h>
#include <multiproc/shared_memory.h>
#include <multiproc/shared_value.h>
#include <multiproc/status.h>
#include <multiproc/value.h>
#include <multiproc/wait.h>

#endif
