/* All that descend from a process. Each is stopped before its children are looked for, so that none is missed that is
 * born meanwhile, and none of those found can be reaped, and its number be another's, before it is ended. Who has left
 * the tree (its parent ended before it) is not found. */
#include "posix/posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct tree {
    pid_t *pids; /* the root first */
    int *fds;    /* -1: the root's, or there was no room for one: it is killed already */
    size_t count;
    size_t room;
} tree_t;

static bool add(tree_t *tree, pid_t pid, int fd)
{
    if (tree->count == tree->room) {
        size_t room = tree->room ? 2 * tree->room : 16;
        pid_t *pids = realloc(tree->pids, room * sizeof *pids);
        tree->pids = pids ? pids : tree->pids;
        int *fds = pids ? realloc(tree->fds, room * sizeof *fds) : NULL;
        if (!fds)
            return false;
        tree->fds = fds;
        tree->room = room;
    }
    tree->pids[tree->count] = pid;
    tree->fds[tree->count++] = fd;
    return true;
}

static bool has(const tree_t *tree, pid_t pid)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->pids[i] == pid)
            return true;
    return false;
}

/* The parent of a process that has not ended; 0: it has. */
static pid_t parent_of(pid_t pid)
{
    char path[40];
    char text[512];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    mp__posix_close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *behind_name = strrchr(text, ')'); /* which may contain anything */
    char state;
    long parent;
    if (!behind_name || sscanf(behind_name + 1, " %c %ld", &state, &parent) != 2 || state == 'Z' || state == 'X')
        return 0;
    return (pid_t)parent;
}

/* Stops one whose parent is in the tree. */
static bool take(tree_t *tree, pid_t pid)
{
    int fd = mp__posix_pidfd_open(pid);
    if (fd < 0 && errno == ESRCH)
        return false;
    if (!has(tree, parent_of(pid))) { /* it was another's number */
        mp__posix_close(fd);
        return false;
    }
    if (fd < 0)
        kill(pid, SIGKILL);
    else
        mp__posix_pidfd_signal(fd, SIGSTOP);
    if (add(tree, pid, fd))
        return true;
    if (fd >= 0)
        mp__posix_pidfd_signal(fd, SIGKILL);
    mp__posix_close(fd);
    return false;
}

/* Takes all children of those in the tree; were there any? */
static bool grow(tree_t *tree)
{
    bool grown = false;
    DIR *list = opendir("/proc");
    if (!list)
        return false;
    const struct dirent *entry;
    while ((entry = readdir(list)) != NULL) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        if (*end || pid <= 0 || has(tree, (pid_t)pid))
            continue;
        pid_t parent = parent_of((pid_t)pid);
        if (parent && has(tree, parent))
            grown = take(tree, (pid_t)pid) || grown;
    }
    closedir(list);
    return grown;
}

void mp__posix_tree_kill(pid_t root, int fd)
{
    tree_t tree = {0};
    if (!add(&tree, root, -1)) {
        free(tree.pids);
        return;
    }
    if (mp__posix_pidfd_signal(fd, SIGSTOP) < 0 && errno != ESRCH)
        kill(root, SIGSTOP);
    /* A stop takes a moment where its process runs on another processor: once more than needed. */
    for (int quiet = 0; quiet < 2;)
        quiet = grow(&tree) ? 0 : quiet + 1;
    for (size_t i = 1; i < tree.count; i++) {
        if (tree.fds[i] >= 0)
            mp__posix_pidfd_signal(tree.fds[i], SIGKILL);
        mp__posix_close(tree.fds[i]);
    }
    free(tree.pids);
    free(tree.fds);
}
