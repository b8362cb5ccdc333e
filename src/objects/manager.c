/* Managers and proxies as this process's objects: start, shutdown, finding them again in other processes. */
#include "objects/manager.h"

#include "core/once.h"
#include "objects/finalize.h"
#include "objects/forked.h"
#include "objects/process.h"
#include "objects/reaper.h"
#include "wire/repr.h"

#include <stdio.h>
#include <stdlib.h>

#define GRACE 1.0 /* seconds for the server to end by itself, and then when terminated */

struct mp_manager {
    mp__client_t client;
    int pid;
    mp_process_t *process; /* the server; NULL but in the process that started it */
    mp__finalizer_t *finalizer;
    mp__proxy_t *proxies; /* that end with it */
    mp_manager_t *left;   /* the next one that was left to the program's end */
};

/* What the manager's header says in its body. */
typedef struct content {
    mp__reference_t requests;
    mp__peer_t server;
    uint32_t pid;
} content_t;

static uint32_t proxies_lock;  /* guards the lists of proxies, for a few instructions; 1: taken */
static mp_manager_t *left;     /* what the program's end shut down; threads that still run may use it */
static uint32_t started_count; /* for the servers' names */

static content_t *content_of(mp__header_t *header)
{
    return (content_t *)(void *)header->body;
}

/* ---- what both kinds begin with */

/* Reaches the server of the manager that `reference` names. */
static mp_status_t init_client(mp__client_t *client, const mp__reference_t *reference)
{
    mp__header_t *header;
    mp_status_t status = mp__object_open(reference, MP_KIND_MANAGER, &header);
    if (status != MP_OK)
        return status;
    content_t content = *content_of(header);
    void *requests;
    status = mp__queue_open(&content.requests, &requests);
    if (status != MP_OK)
        return status;
    client->shared.header = header;
    client->requests = requests;
    client->server = content.server;
    mp__replies_hold();
    return MP_OK;
}

static void fini_client(mp__client_t *client)
{
    mp_queue_close(client->requests);
    mp__replies_release();
}

/* ---- proxies */

static void lock_proxies(void)
{
    uint32_t none = 0;
    while (!mp__cas32(&proxies_lock, &none, 1)) {
        none = 0;
        mp__os_yield();
    }
}

static void unlock_proxies(void)
{
    mp__store32(&proxies_lock, 0);
}

static void list_proxy(mp_manager_t *manager, mp__proxy_t *proxy)
{
    lock_proxies();
    proxy->manager = manager;
    proxy->next = manager->proxies;
    if (proxy->next)
        proxy->next->previous = proxy;
    manager->proxies = proxy;
    unlock_proxies();
}

/* False: it was not listed (any more). */
static bool unlist_proxy(mp__proxy_t *proxy)
{
    lock_proxies();
    mp_manager_t *manager = proxy->manager;
    if (manager) {
        if (proxy->previous)
            proxy->previous->next = proxy->next;
        else
            manager->proxies = proxy->next;
        if (proxy->next)
            proxy->next->previous = proxy->previous;
        proxy->manager = NULL;
    }
    unlock_proxies();
    return manager != NULL;
}

static void destroy_proxy(mp__handle_t *handle)
{
    mp__proxy_t *proxy = (mp__proxy_t *)(void *)handle;
    unlist_proxy(proxy);
    fini_client(&proxy->client);
    mp__handle_bury(handle);
}

static mp_status_t open_proxy(mp_kind_t kind, const mp__reference_t *reference, uint64_t item, void **object)
{
    mp__proxy_t *proxy = calloc(1, sizeof *proxy);
    if (!proxy)
        return mp__error(MP_NO_MEMORY, "open a proxy", "no memory");
    mp_status_t status = init_client(&proxy->client, reference);
    if (status != MP_OK) {
        free(proxy);
        return status;
    }
    mp__handle_init(&proxy->client.shared.handle, kind, reference, item, destroy_proxy);
    *object = proxy;
    return MP_OK;
}

static mp_status_t close_proxy(mp__proxy_t *proxy, mp_kind_t kind)
{
    if (!proxy)
        return MP_OK;
    if (!mp__handle_is(&proxy->client.shared.handle, kind)) {
        mp_status_t status = mp__handle_refuse(&proxy->client.shared.handle, kind, "close a proxy", mp_kind_name(kind));
        return status == MP_CLOSED ? MP_OK : status;
    }
    unlist_proxy(proxy);
    mp__handle_close(&proxy->client.shared.handle);
    return MP_OK;
}

mp_status_t mp_dict_close(mp_dict_t *dict)
{
    return close_proxy((mp__proxy_t *)dict, MP_KIND_DICT_PROXY);
}

mp_status_t mp_list_close(mp_list_t *list)
{
    return close_proxy((mp__proxy_t *)list, MP_KIND_LIST_PROXY);
}

/* How proxies show: what is in the server, asked for in one call. */
static mp_status_t show_proxy(mp__handle_t *handle, mp__buffer_t *out)
{
    mp_value_t copy;
    mp__question_t question = {.operation = handle->kind == MP_KIND_DICT_PROXY ? MP__OP_DICT_COPY : MP__OP_LIST_COPY};
    mp_status_t status =
        mp__proxy_call((const mp__proxy_t *)(const void *)handle, (mp_kind_t)handle->kind, &question, &copy);
    if (status == MP_OK)
        status = mp__repr(&copy, out);
    mp_value_free(&copy);
    return status;
}

static mp_status_t prepare(void)
{
    mp__repr_proxy = show_proxy;
    return mp__forks_watch();
}

/* ---- managers */

static void destroy_manager(mp__handle_t *handle)
{
    mp_manager_t *manager = (mp_manager_t *)(void *)handle;
    for (mp__proxy_t *proxy; (proxy = manager->proxies) != NULL;)
        if (unlist_proxy(proxy))
            mp__handle_release(&proxy->client.shared.handle);
    fini_client(&manager->client);
    mp__handle_bury(handle);
}

static mp_status_t open_manager(const mp__reference_t *reference, void **object)
{
    mp_manager_t *manager = calloc(1, sizeof *manager);
    if (!manager)
        return mp__error(MP_NO_MEMORY, "open a manager", "no memory");
    mp_status_t status = init_client(&manager->client, reference);
    if (status != MP_OK) {
        free(manager);
        return status;
    }
    mp__handle_init(&manager->client.shared.handle, MP_KIND_MANAGER, reference, 0, destroy_manager);
    manager->pid = (int)content_of(manager->client.shared.header)->pid;
    *object = manager;
    return MP_OK;
}

mp_status_t mp__manager_open(mp_kind_t kind, const mp__reference_t *reference, uint64_t item, void **object)
{
    static mp__once_t once;
    if ((kind == MP_KIND_MANAGER) != (item == 0))
        return mp__error(MP_MALFORMED, "open a reference", "it names no %s", mp_kind_name(kind));
    mp_status_t status = mp__once(&once, prepare);
    if (status == MP_OK)
        status = mp__family_join();
    if (status != MP_OK)
        return status;
    return kind == MP_KIND_MANAGER ? open_manager(reference, object) : open_proxy(kind, reference, item, object);
}

void mp__managers_forget(void)
{
    proxies_lock = 0; /* a thread of the parent may have held it */
}

int mp_manager_pid(const mp_manager_t *manager)
{
    return manager && mp__handle_is(&manager->client.shared.handle, MP_KIND_MANAGER) ? manager->pid : 0;
}

/* ---- start: the request queue, the server, the object that leads to both, this process's holder of that */

/* Nobody reaches the server any more. The holders stay: other threads may be using them. */
static void end_objects(mp_manager_t *manager)
{
    mp__shared_t *shared = &manager->client.shared;
    if (!mp__shared_mine(shared))
        return;
    mp__object_end(shared->header, &shared->handle.reference, NULL);
    mp__queue_end(manager->client.requests);
}

/* On the reaper's thread, once the dead server was swept. */
static void server_ended(void *context, mp_process_t *process)
{
    (void)process;
    if (mp__family_join() == MP_OK)
        end_objects(context);
}

/* Waits for the server's end, and sees to it. */
static void join_server(mp_process_t *process)
{
    if (mp_process_join(process, GRACE) == MP_OK)
        return;
    mp_process_terminate(process);
    if (mp_process_join(process, GRACE) == MP_OK)
        return;
    mp_process_kill(process);
    mp_process_join(process, MP_FOREVER);
}

static mp_status_t end_server(mp_manager_t *manager)
{
    mp_status_t status = mp__family_join();
    if (status != MP_OK)
        return status;
    mp__finalize_remove(manager->finalizer);
    mp__reaper_forget(manager->process);
    end_objects(manager); /* without requests to come the server ends */
    join_server(manager->process);
    status = mp_process_close(manager->process);
    manager->process = NULL;
    return status;
}

/* At the program's end: as mp_manager_shutdown, but what other threads may hold stays. */
static void finalize(void *context)
{
    mp_manager_t *manager = context;
    manager->finalizer = NULL;
    if (manager->process && end_server(manager) == MP_OK) {
        manager->left = left;
        left = manager;
    }
}

/* The object of the arena, once there are a server and its queue. */
static mp_status_t publish(mp_queue_t *requests, const mp_process_t *server, mp__reference_t *reference)
{
    mp__header_t *header;
    mp_status_t status = mp__object_create(MP_KIND_MANAGER, &header, reference);
    if (status != MP_OK)
        return status;
    content_t *content = content_of(header);
    content->requests = ((mp__shared_t *)(void *)requests)->handle.reference;
    content->pid = (uint32_t)mp_process_pid(server);
    mp__process_slot_of(server, &content->server.slot, &content->server.epoch);
    return MP_OK;
}

/* This process's holder, which keeps the queue's and the process's. */
static mp_status_t hold(mp_queue_t *requests, mp_process_t *server, mp_manager_t **out)
{
    mp__reference_t reference;
    void *object;
    mp_status_t status = publish(requests, server, &reference);
    if (status != MP_OK)
        return status;
    status = mp__manager_open(MP_KIND_MANAGER, &reference, 0, &object);
    if (status != MP_OK) {
        mp__header_t *header;
        mp_error_t error = *mp_error();
        if (mp__object_open(&reference, MP_KIND_MANAGER, &header) == MP_OK)
            mp__object_end(header, &reference, NULL);
        mp__error_again(&error);
        return status;
    }
    mp_manager_t *manager = object;
    mp_queue_close(manager->client.requests);
    manager->client.requests = requests;
    mp__shared_make_mine(&manager->client.shared);
    manager->process = server;
    *out = manager;
    return MP_OK;
}

static mp_status_t start_server(mp_manager_t **out)
{
    mp_queue_t *requests;
    mp_process_t *server;
    char name[32];
    mp_status_t status = mp_queue_create(&requests, 0);
    if (status != MP_OK)
        return status;
    snprintf(name, sizeof name, "Manager-%u", mp__add32(&started_count, 1) + 1);
    status = mp__process_start_service(&server, mp__manager_serve, mp_args(requests), name, MP_START_DEFAULT);
    if (status == MP_OK) {
        status = hold(requests, server, out);
        if (status == MP_OK)
            return MP_OK;
        mp_error_t error = *mp_error();
        mp_process_kill(server);
        mp_process_join(server, MP_FOREVER);
        mp_process_close(server);
        mp__error_again(&error);
    }
    mp_queue_close(requests);
    return status;
}

/* Waits until it serves. */
static mp_status_t ping(const mp_manager_t *manager)
{
    const mp__question_t question = {.operation = MP__OP_PING};
    return mp__manager_call(&manager->client, &question, NULL);
}

mp_status_t mp_manager_start(mp_manager_t **manager)
{
    if (!manager)
        return mp__error(MP_INVALID, "start a manager", "no place for the new object");
    *manager = NULL;
    mp_manager_t *made;
    mp_status_t status = start_server(&made);
    if (status != MP_OK)
        return status;
    status = mp__finalize_add(MP__FINALIZE_MANAGER, finalize, made, &made->finalizer);
    if (status == MP_OK)
        status = mp__reaper_watch(made->process, server_ended, made);
    if (status == MP_OK)
        status = ping(made);
    if (status == MP_OK) {
        *manager = made;
        return MP_OK;
    }
    mp_error_t error = *mp_error();
    mp_manager_shutdown(made);
    return mp__error(status, "start a manager", "%s", error.text);
}

mp_status_t mp_manager_shutdown(mp_manager_t *manager)
{
    if (!manager)
        return MP_OK;
    mp_status_t status = MP_OK;
    if (!mp__handle_is(&manager->client.shared.handle, MP_KIND_MANAGER)) {
        status = mp__handle_refuse(&manager->client.shared.handle, MP_KIND_MANAGER, "shut a manager down", "Manager");
        return status == MP_CLOSED ? MP_OK : status;
    }
    if (manager->process && mp__shared_mine(&manager->client.shared))
        status = end_server(manager);
    mp__handle_close(&manager->client.shared.handle);
    return status;
}

/* ---- new dicts and lists */

static mp_status_t make(mp_manager_t *manager, mp_kind_t kind, const mp_value_t *content, void **proxy)
{
    if (!manager || !mp__handle_is(&manager->client.shared.handle, MP_KIND_MANAGER))
        return mp__handle_refuse((const mp__handle_t *)(const void *)manager, MP_KIND_MANAGER, "use a manager",
                                 "Manager");
    bool dict = kind == MP_KIND_DICT_PROXY;
    mp_value_t number;
    mp__question_t question = {.operation = dict ? MP__OP_NEW_DICT : MP__OP_NEW_LIST, .arguments = {content}};
    mp_status_t status = mp__manager_call(&manager->client, &question, &number);
    if (status != MP_OK)
        return status;
    status = mp__manager_open(kind, &manager->client.shared.handle.reference, mp_value_uint(number), proxy);
    if (status == MP_OK)
        list_proxy(manager, *proxy);
    return status;
}

static mp_status_t not_a(const char *expected, mp_value_t v)
{
    return mp__error(MP_TYPE, "use a manager", "expected %s, got %s", expected, mp_kind_name(mp_value_kind(v)));
}

static mp_status_t no_place(void)
{
    return mp__error(MP_INVALID, "use a manager", "no place for the new object");
}

mp_status_t mp__manager_dict(mp_manager_t *manager, mp_dict_t **dict, mp_value_t content)
{
    void *proxy;
    if (!dict)
        return no_place();
    *dict = NULL;
    if (mp_value_kind(content) == MP_KIND_NONE)
        content = mp_value_dict(NULL, 0);
    if (mp_value_kind(content) != MP_KIND_DICT)
        return not_a("dict", content);
    mp_status_t status = make(manager, MP_KIND_DICT_PROXY, &content, &proxy);
    if (status == MP_OK)
        *dict = proxy;
    return status;
}

mp_status_t mp__manager_list(mp_manager_t *manager, mp_list_t **list, mp_value_t content)
{
    void *proxy;
    if (!list)
        return no_place();
    *list = NULL;
    if (mp_value_kind(content) == MP_KIND_NONE)
        content = mp_value_list(NULL, 0);
    if (mp_value_kind(content) != MP_KIND_LIST && mp_value_kind(content) != MP_KIND_RANGE)
        return not_a("list", content);
    mp_status_t status = make(manager, MP_KIND_LIST_PROXY, &content, &proxy);
    if (status == MP_OK)
        *list = proxy;
    return status;
}
