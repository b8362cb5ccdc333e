/* Standard error and standard output, on POSIX and on Windows. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif
#include "terminal.h"

#include <stdio.h>

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>

bool treehash_on_terminal(void)
{
    return _isatty(_fileno(stderr)) != 0;
}

void treehash_binary_output(void)
{
    _setmode(_fileno(stdout), _O_BINARY);
}
#else
#include <unistd.h>

bool treehash_on_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void treehash_binary_output(void)
{
    /* it always does */
}
#endif
