/* What descends from a process, by the system's list: each entry names the process that started it, whose number may be
 * another's by now, which its birth tells. */
#include "win32.h"

#include <tlhelp32.h>

#include <stdlib.h>

typedef struct ended {
    DWORD pid;
    uint64_t born;
} ended_t;

typedef struct tree {
    ended_t *list; /* the root first */
    size_t count;
    size_t room;
} tree_t;

static bool add(tree_t *tree, DWORD pid, uint64_t born)
{
    if (tree->count == tree->room) {
        size_t room = tree->room ? 2 * tree->room : 16;
        ended_t *list = realloc(tree->list, room * sizeof *list);
        if (!list)
            return false;
        tree->list = list;
        tree->room = room;
    }
    tree->list[tree->count++] = (ended_t){pid, born};
    return true;
}

static const ended_t *find(const tree_t *tree, DWORD pid)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->list[i].pid == pid)
            return &tree->list[i];
    return NULL;
}

/* Ends it, if it is a child of that one. */
static bool end_child(tree_t *tree, DWORD pid, const ended_t *parent)
{
    bool done = false;
    HANDLE process = OpenProcess(PROCESS_TERMINATE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (!process)
        return false;
    uint64_t born = mp__win_process_born(process);
    if (born >= parent->born && add(tree, pid, born))
        done = TerminateProcess(process, MP__WIN_SIGNALLED | MP__WIN_KILL);
    CloseHandle(process);
    return done;
}

static bool end_children(tree_t *tree)
{
    bool any = false;
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    if (snapshot == INVALID_HANDLE_VALUE)
        return false;
    for (BOOL more = Process32FirstW(snapshot, &entry); more; more = Process32NextW(snapshot, &entry)) {
        const ended_t *parent = find(tree, entry.th32ParentProcessID);
        if (parent && !find(tree, entry.th32ProcessID))
            any = end_child(tree, entry.th32ProcessID, parent) || any;
    }
    CloseHandle(snapshot);
    return any;
}

void mp__win_tree_kill(HANDLE process, DWORD pid)
{
    tree_t tree = {0};
    if (add(&tree, pid, mp__win_process_born(process)))
        while (end_children(&tree))
            ;
    free(tree.list);
}
