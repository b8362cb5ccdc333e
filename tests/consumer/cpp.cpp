// A C++17 program that uses the installed package. Prints: ['cpp', 42, True, 2.5, None, {'key': [1, 2]}]
#include <multiproc.h>

#include <string>

static mp_status_t f(mp_call_t *call)
{
    mp_queue_t *q = mp_arg_queue(call, 0);
    const std::string text = mp_arg_str(call, 1);
    return mp_queue_put(q, mp_list(text.c_str(), 42, true, 2.5, MP_NONE, mp_dict("key", mp_list(1, 2))), MP_FOREVER);
}

int main(int argc, char **argv)
{
    mp_freeze_support(argc, argv);

    mp_queue_t *q;
    mp_process_t *p;
    if (mp_queue_create(&q, 0) != MP_OK || mp_process_start(&p, f, mp_args(q, "cpp")) != MP_OK)
        return mp_perror("start");

    mp_value_t v;
    if (mp_queue_get(q, &v, MP_FOREVER) != MP_OK)
        return mp_perror("get");
    mp_print(v);
    mp_value_free(&v);

    mp_process_join(p, MP_FOREVER);
    mp_process_close(p);
    mp_queue_close(q);
    return 0;
}
