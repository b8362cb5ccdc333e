/**
 * @file multiproc.h
 * Python's multiprocessing for C: processes, pipes, queues, locks, managers and pools, the same program on Linux, macOS
 * and Windows.
 */
#ifndef MULTIPROC_H
#define MULTIPROC_H

#include <multiproc/call.h>
#include <multiproc/connection.h>
#include <multiproc/lock.h>
#include <multiproc/manager.h>
#include <multiproc/pool.h>
#include <multiproc/print.h>
#include <multiproc/process.h>
#include <multiproc/process_control.h>
#include <multiproc/process_options.h>
#include <multiproc/queue.h>
#include <multiproc/runtime.h>
#include <multiproc/status.h>
#include <multiproc/value.h>

#endif
