/* What runs in a worker: the initializer, then one task after the other until it is told to stop. */
#include "objects/pool_core.h"

#include "objects/transfer.h"
#include "wire/call.h"

#include <string.h>

#define STEP "run a task"

typedef struct worker {
    mp_queue_t *tasks;
    mp_queue_t *reports;
    mp__report_head_t head; /* of its reports */
    mp_call_t *own;         /* the worker's own call */
    bool leaves;
    mp_status_t exit; /* what it then returns */
} worker_t;

/* ---- reports */

/* A report begins with its head. */
static mp_status_t begin_report(const worker_t *worker, mp__report_kind_t kind, mp__buffer_t *report)
{
    mp__report_head_t head = worker->head;
    head.kind = (uint32_t)kind;
    mp__buffer_clear(report);
    return mp__buffer_append(report, &head, sizeof head);
}

/* Waits while the family's memory is used up: the pool must learn of it. */
static mp_status_t send_report(const worker_t *worker, const mp__buffer_t *report)
{
    return mp__queue_put_item(worker->reports, MP__ITEM_BYTES, report->data, report->size, MP__NEVER);
}

/* Reports this thread's last error. */
static mp_status_t send_error(const worker_t *worker, mp__report_kind_t kind)
{
    mp_error_t error = *mp_error();
    mp__buffer_t report;
    mp__buffer_init(&report);
    mp_status_t status = begin_report(worker, kind, &report);
    if (status == MP_OK)
        status = mp__buffer_append(&report, &error, sizeof error);
    if (status == MP_OK)
        status = send_report(worker, &report);
    mp__buffer_fini(&report);
    return status;
}

/* ---- tasks */

/* Runs a call and appends its value. */
static mp_status_t run_call(worker_t *worker, mp_call_t *call, mp__buffer_t *report)
{
    const void *data;
    size_t size;
    mp_status_t status = mp__call_run(call);
    if (call->exits) {
        worker->leaves = true;
        worker->exit = mp_exit(worker->own, call->exit_code);
    }
    if (status != MP_OK)
        return status;
    mp__call_result(call, &data, &size);
    return mp__buffer_append(report, data, size);
}

/* Calls the function for each item of its one argument. */
static mp_status_t run_chunk(worker_t *worker, const mp_call_t *chunk, mp__buffer_t *report)
{
    mp_value_t items = chunk->args.count == 1 ? chunk->args.items[0] : MP_NONE;
    if (mp_value_kind(items) != MP_KIND_LIST)
        return mp__error(MP_MALFORMED, STEP, "a chunk without a list");
    size_t n = mp_value_len(items);
    mp_status_t status = mp__encode_head(MP_KIND_LIST, n, report);
    for (size_t i = 0; i < n && status == MP_OK && !worker->leaves; i++) {
        mp_call_t call;
        mp__call_init(&call, chunk->function, mp_value_args(&items.as.items[i], 1));
        status = run_call(worker, &call, report);
        mp__call_fini(&call);
    }
    return status;
}

static mp_status_t run_task(worker_t *worker, const mp__task_head_t *head, const mp__buffer_t *task,
                            mp__buffer_t *report)
{
    mp_call_t call;
    mp_status_t status =
        mp__call_decode(task->data + sizeof *head, task->size - sizeof *head, &mp__shared_receiver, &call);
    if (status != MP_OK)
        return status;
    status = head->kind == MP__TASK_CHUNK ? run_chunk(worker, &call, report) : run_call(worker, &call, report);
    mp__call_fini(&call);
    return status;
}

/* Runs a task and reports. A function that ends its process (mp_exit) is not reported: the pool sees the end. */
static mp_status_t do_task(worker_t *worker, const mp__task_head_t *head, const mp__buffer_t *task)
{
    mp__buffer_t report;
    mp__buffer_init(&report);
    worker->head.task = head->id;
    mp_status_t status = begin_report(worker, MP__REPORT_VALUE, &report);
    if (status == MP_OK)
        status = run_task(worker, head, task, &report);
    if (worker->leaves)
        status = MP_OK;
    else if (status != MP_OK || (status = send_report(worker, &report)) != MP_OK)
        status = send_error(worker, MP__REPORT_ERROR); /* also that the value is too large to be sent */
    mp__buffer_fini(&report);
    return status;
}

static mp_status_t do_tasks(worker_t *worker)
{
    mp__buffer_t task;
    mp__buffer_init(&task);
    mp_status_t status = MP_OK;
    while (status == MP_OK && !worker->leaves) {
        mp__task_head_t head;
        uint64_t size;
        status = mp__queue_get_item(worker->tasks, MP__ITEM_BYTES, UINT64_MAX, &task, &size, MP__NEVER);
        if (status != MP_OK)
            break;
        if (task.size < sizeof head)
            status = mp__error(MP_MALFORMED, STEP, "a task of %llu bytes", (unsigned long long)size);
        else
            memcpy(&head, task.data, sizeof head);
        if (status != MP_OK || head.kind == MP__TASK_STOP)
            break;
        status = do_task(worker, &head, &task);
    }
    mp__buffer_fini(&task);
    return status;
}

/* ---- */

/* Runs the initializer, if there is one. */
static mp_status_t initialize(worker_t *worker, const void *message, size_t size)
{
    mp_call_t call;
    if (!size)
        return MP_OK;
    mp_status_t status = mp__call_decode(message, size, &mp__shared_receiver, &call);
    if (status != MP_OK)
        return status;
    mp__buffer_t unused;
    mp__buffer_init(&unused);
    status = run_call(worker, &call, &unused);
    mp__buffer_fini(&unused);
    mp__call_fini(&call);
    return status;
}

static mp_status_t send_ready(const worker_t *worker)
{
    mp__buffer_t report;
    mp__buffer_init(&report);
    mp_status_t status = begin_report(worker, MP__REPORT_READY, &report);
    if (status == MP_OK)
        status = send_report(worker, &report);
    mp__buffer_fini(&report);
    return status;
}

mp_status_t mp__pool_worker(mp_call_t *call)
{
    size_t size;
    worker_t worker = {.own = call, .tasks = mp_arg_queue(call, 0), .reports = mp_arg_queue(call, 1)};
    worker.head.worker = (uint32_t)mp_arg_uint(call, 2);
    worker.head.number = (uint32_t)mp_arg_uint(call, 3);
    const void *initializer = mp_arg_bytes(call, 4, &size);
    if (mp_call_status(call) != MP_OK)
        return mp_call_status(call);
    mp_status_t status = initialize(&worker, initializer, size);
    if (status != MP_OK && !worker.leaves) {
        (void)send_error(&worker, MP__REPORT_UNFIT);
        return status;
    }
    if (!worker.leaves)
        status = send_ready(&worker);
    if (status == MP_OK && !worker.leaves)
        status = do_tasks(&worker);
    return worker.leaves ? worker.exit : status;
}
