/* A manager's server and the signals of a terminal, and a child that forks by itself. */
#include "../served.h"

#include "family/family.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

MP_CASE(ctrl_c_does_not_reach_the_server)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d;
    REQUIRE_OK(mp_manager_dict(m, &d, mp_dict("a", 1)));
    CU_ASSERT_EQUAL(kill(mp_manager_pid(m), SIGINT), 0);
    EXPECT_OK(mp_dict_set(d, "b", 2));
    CU_ASSERT_EQUAL(kill(mp_manager_pid(m), SIGINT), 0);
    EXPECT_SHOWN(d, "{'a': 1, 'b': 2}");
    EXPECT_OK(mp_manager_shutdown(m));
}

/* What daemon() and others do: the child uses what it inherited, while its parent does. */
MP_CASE(a_foreign_fork_s_child_uses_inherited_proxies)
{
    mp_manager_t *m = mp_test_manager();
    mp_dict_t *d;
    REQUIRE_OK(mp_manager_dict(m, &d, MP_NONE));
    EXPECT_OK(mp_dict_set(d, "n", 0));
    pid_t pid = fork();
    for (int i = 0; i < 500; i++)
        MP_CHECK(mp_dict_add(d, "n", 1, NULL) == MP_OK);
    if (pid == 0)
        _exit(0);
    int status = -1;
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    EXPECT_SHOWN(d, "{'n': 1000}");
    mp__sweep_the_dead(); /* nobody's child in the family: the next who looks for a slot would do it */
    EXPECT_OK(mp_manager_shutdown(m));
}

MP_GUARDED_CASES(MP_ROW(ctrl_c_does_not_reach_the_server), MP_ROW(a_foreign_fork_s_child_uses_inherited_proxies));
