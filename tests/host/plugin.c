/* A plug-in for programs that know nothing of multiproc and never call mp_freeze_support: what it starts runs in the
 * helper, multiproc-host. Its host calls plugin_run(what); 0 is success, else a line says what went wrong. */
#include <multiproc.h>

#include <stdio.h>
#include <string.h>

#if !defined(PATIENCE)
#define PATIENCE 60.0
#endif

int plugin_run(const char *what);
int plugin_start(mp_function_t function);

static int failed(int line, const char *what)
{
    char text[512];
    printf("line %d: %s\n", line, mp_error_format(text, sizeof text, what));
    fflush(stdout);
    return 1;
}

#define CHECK(condition)                                                                                               \
    if (!(condition))                                                                                                  \
    return failed(__LINE__, #condition)
#define CHECK_OK(call) CHECK((call) == MP_OK)

/* ---- Process and Queue */

static mp_status_t put_double(mp_call_t *call)
{
    mp_queue_t *queue = mp_arg_queue(call, 0);
    return mp_queue_put(queue, mp_list(2 * mp_arg_int(call, 1), mp_getpid()), PATIENCE);
}

static mp_status_t leave_with(mp_call_t *call)
{
    return mp_exit(call, (int)mp_arg_int(call, 0));
}

static int end_of(mp_process_t *process, int *code)
{
    CHECK_OK(mp_process_join(process, PATIENCE));
    CHECK_OK(mp_process_exitcode(process, code));
    CHECK_OK(mp_process_close(process));
    return 0;
}

static int run_process(void)
{
    mp_queue_t *queue;
    mp_process_t *process;
    mp_value_t value;
    int code = -1;
    CHECK_OK(mp_queue_create(&queue, 0));
    CHECK_OK(mp_process_start(&process, put_double, mp_args(queue, 21)));
    CHECK_OK(mp_queue_get(queue, &value, PATIENCE));
    CHECK(mp_value_int(value.as.items[0]) == 42);
    CHECK(mp_value_int(value.as.items[1]) == mp_process_pid(process) && mp_process_pid(process) != mp_getpid());
    mp_value_free(&value);
    if (end_of(process, &code))
        return 1;
    CHECK(code == 0);
    CHECK_OK(mp_process_start(&process, leave_with, mp_args(17)));
    if (end_of(process, &code))
        return 1;
    CHECK(code == 17);
    CHECK_OK(mp_queue_close(queue));
    return 0;
}

/* ---- a child that starts one itself */

static mp_status_t start_another(mp_call_t *call)
{
    mp_process_t *process;
    int64_t depth = mp_arg_int(call, 1);
    mp_status_t status = depth ? mp_process_start(&process, start_another, mp_args(mp_arg_queue(call, 0), depth - 1))
                               : mp_process_start(&process, put_double, mp_args(mp_arg_queue(call, 0), 4));
    if (status == MP_OK)
        status = mp_process_join(process, PATIENCE);
    return status;
}

static int run_generations(void)
{
    mp_queue_t *queue;
    mp_process_t *process;
    mp_value_t value;
    int code = -1;
    CHECK_OK(mp_queue_create(&queue, 0));
    CHECK_OK(mp_process_start(&process, start_another, mp_args(queue, 2)));
    CHECK_OK(mp_queue_get(queue, &value, PATIENCE));
    CHECK(mp_value_int(value.as.items[0]) == 8);
    mp_value_free(&value);
    if (end_of(process, &code))
        return 1;
    CHECK(code == 0);
    CHECK_OK(mp_queue_close(queue));
    return 0;
}

/* ---- Pool and Manager */

static mp_status_t square(mp_call_t *call)
{
    return mp_return(call, mp_arg_int(call, 0) * mp_arg_int(call, 0));
}

static int run_pool(void)
{
    mp_pool_t *pool;
    mp_value_t squares, nine;
    CHECK_OK(mp_pool_create(&pool, 2));
    CHECK_OK(mp_pool_map(pool, square, mp_range(0, 10), 0, &squares, PATIENCE));
    CHECK(mp_value_len(squares) == 10);
    for (int i = 0; i < 10; i++)
        CHECK(mp_value_int(squares.as.items[i]) == i * i);
    mp_value_free(&squares);
    CHECK_OK(mp_pool_apply(pool, square, mp_args(3), &nine, PATIENCE));
    CHECK(mp_value_int(nine) == 9);
    CHECK_OK(mp_pool_close(pool));
    CHECK_OK(mp_pool_join(pool, PATIENCE));
    CHECK_OK(mp_pool_free(pool));
    return 0;
}

static mp_status_t append_to(mp_call_t *call)
{
    return mp_list_append(mp_arg_list(call, 0), 7);
}

static int run_manager(void)
{
    mp_manager_t *manager;
    mp_list_t *list;
    mp_process_t *process;
    mp_value_t value;
    int code = -1;
    CHECK_OK(mp_manager_start(&manager));
    CHECK_OK(mp_manager_list(manager, &list, MP_NONE));
    CHECK_OK(mp_process_start(&process, append_to, mp_args(list)));
    if (end_of(process, &code))
        return 1;
    CHECK(code == 0);
    CHECK_OK(mp_list_get(list, 0, &value));
    CHECK(mp_value_int(value) == 7);
    CHECK_OK(mp_list_close(list));
    CHECK_OK(mp_manager_shutdown(manager));
    return 0;
}

/* ---- a helper that is not there */

static int run_without_helper(void)
{
    mp_process_t *process;
    CHECK(mp_process_start(&process, leave_with, mp_args(0)) == MP_NOT_FOUND);
    CHECK(strstr(mp_error()->text, "MULTIPROC_HOST"));
    CHECK_OK(mp_set_executable("/no/such/program"));
    CHECK(mp_process_start(&process, leave_with, mp_args(0)) == MP_NOT_FOUND);
    return 0;
}

/* ---- another build of this plug-in in its place */

static int run_replaced(void)
{
    mp_process_t *process;
    CHECK(mp_process_start(&process, leave_with, mp_args(0)) == MP_MISMATCH);
    return 0;
}

/* ---- for the host */

/* A function of the host's own program: nobody but it could run that. */
int plugin_start(mp_function_t function)
{
    for (const char *const *method = mp_all_start_methods(); *method; method++) {
        mp_process_t *process;
        CHECK_OK(mp_set_start_method(*method, true));
        CHECK(mp_process_start(&process, function, mp_args()) == MP_NOT_GUARDED);
        CHECK(strstr(mp_error()->text, "mp_freeze_support"));
    }
    return 0;
}

int plugin_run(const char *what)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } cases[] = {{"process", run_process}, {"generations", run_generations}, {"pool", run_pool},
                 {"manager", run_manager}, {"replaced", run_replaced},       {"without_helper", run_without_helper}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, what) == 0)
            return cases[i].run();
    printf("there is no case %s\n", what);
    return 1;
}
