/* Consoles and their Ctrl-C on Windows. */
#include "../ctrl_c.h"

#include "../scene.h"
#include "system.h"

#include <windows.h>

/* This process is on that console, too. Unlike ignoring, a handler is not inherited. */
static BOOL WINAPI swallow(DWORD event)
{
    return event == CTRL_C_EVENT;
}

/* A console that nobody else has; what is standard input and output stays so. */
static bool make_console(void)
{
    static const DWORD numbers[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE handles[3];
    for (size_t i = 0; i < 3; i++)
        handles[i] = GetStdHandle(numbers[i]);
    FreeConsole();
    bool made = AllocConsole() != 0;
    for (size_t i = 0; i < 3; i++)
        SetStdHandle(numbers[i], handles[i]);
    return made && SetConsoleCtrlHandler(swallow, TRUE);
}

int mp_test_run_group(const char *program, char *output, size_t size)
{
    if (!make_console())
        mp_skip("there can be no console here");
    mp_test_baseline();                 /* what the console is made of stays */
    SetConsoleCtrlHandler(NULL, FALSE); /* who runs the tests may ignore it */
    return mp_test_run(mp_test_program(), program, output, size);
}

void mp_test_press_ctrl_c(void)
{
    GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
}

/* Wine ends programs by it with 0. */
bool mp_test_is_ctrl_c(int code)
{
    return code == (int)STATUS_CONTROL_C_EXIT || (mp_test_emulator() && code == 0);
}
