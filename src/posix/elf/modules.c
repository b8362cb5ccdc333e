/* The modules of this process on systems with ELF: their build ids and their code. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* dl_iterate_phdr, which all of these systems have, is shown only so */
#endif
#include "posix/posix.h"

#include "core/once.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if !defined(ElfW)
#define ElfW(type) Elf_##type
#endif

#define NOTE_BUILD_ID 3 /* of "GNU" */

/* The same for both word sizes, under a different name on every system. */
typedef struct note {
    uint32_t name_size;
    uint32_t data_size;
    uint32_t type;
} note_t;

/* Finds the build id in a note segment; NULL: there is none. Sizes are checked: the segment may come from any file. */
static const uint8_t *find_build_id(const uint8_t *notes, size_t size, size_t align, size_t *id_size)
{
    size_t mask = align == 8 ? 7 : 3;
    size_t at = 0;
    while (size - at >= sizeof(note_t)) {
        note_t note;
        memcpy(&note, notes + at, sizeof note);
        at += sizeof note;
        size_t name_size = (note.name_size + mask) & ~mask;
        size_t data_size = (note.data_size + mask) & ~mask;
        if (name_size < note.name_size || name_size > size - at || note.data_size > size - at - name_size)
            break;
        if (note.type == NOTE_BUILD_ID && note.name_size == 4 && memcmp(notes + at, "GNU", 4) == 0) {
            *id_size = note.data_size;
            return notes + at + name_size;
        }
        if (data_size < note.data_size || data_size > size - at - name_size)
            break;
        at += name_size + data_size;
    }
    return NULL;
}

typedef struct visitor {
    bool (*visit)(const mp__posix_module_t *module, void *context);
    void *context;
    bool first;
} visitor_t;

static int visit_module(struct dl_phdr_info *info, size_t size, void *context)
{
    visitor_t *visitor = context;
    (void)size;
    /* The program itself is the first on all of these systems; some give it a name. */
    mp__posix_module_t module = {
        .path = visitor->first || !info->dlpi_name ? "" : info->dlpi_name, .base = info->dlpi_addr, .native = info};
    for (size_t i = 0; i < info->dlpi_phnum && !module.identity; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_NOTE)
            module.identity = find_build_id((const uint8_t *)(info->dlpi_addr + part->p_vaddr), part->p_memsz,
                                            part->p_align, &module.identity_size);
    }
    /* One without a name that is not the program (the kernel's own) could be taken for it. */
    bool nameless = !visitor->first && !module.path[0];
    visitor->first = false;
    return !nameless && visitor->visit(&module, visitor->context);
}

/* The program itself stays where it is. Its functions are found without the loader's lock: a fork's child, whose parent
 * had other threads, may have inherited that one locked for ever. */
static struct dl_phdr_info program;

static int note_program(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    program = *info;
    return 1;
}

static mp_status_t find_program(void)
{
    return dl_iterate_phdr(note_program, NULL) ? MP_OK : MP_NOT_FOUND;
}

bool mp__posix_modules(bool (*visit)(const mp__posix_module_t *module, void *context), void *context)
{
    static mp__once_t program_found;
    visitor_t visitor = {.visit = visit, .context = context, .first = true};
    if (mp__once(&program_found, find_program) == MP_OK && visit_module(&program, sizeof program, &visitor))
        return true;
    visitor.first = true;
    return dl_iterate_phdr(visit_module, &visitor) != 0;
}

bool mp__posix_module_has_code(const mp__posix_module_t *module, uintptr_t address)
{
    const struct dl_phdr_info *info = module->native;
    uintptr_t offset = address - info->dlpi_addr;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) && offset >= part->p_vaddr &&
            offset - part->p_vaddr < part->p_memsz)
            return true;
    }
    return false;
}

/* The build id in a file that is mapped as it is; NULL: it has none, or is no such file. */
static const uint8_t *image_build_id(const uint8_t *image, size_t size, size_t *id_size)
{
    ElfW(Ehdr) head;
    const uint8_t *id = NULL;
    if (size < sizeof head)
        return NULL;
    memcpy(&head, image, sizeof head);
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(ElfW(Phdr)) || head.e_phoff > size ||
        head.e_phnum > (size - head.e_phoff) / sizeof(ElfW(Phdr)))
        return NULL;
    for (size_t i = 0; i < head.e_phnum && !id; i++) {
        ElfW(Phdr) part;
        memcpy(&part, image + head.e_phoff + i * sizeof part, sizeof part);
        if (part.p_type == PT_NOTE && part.p_offset <= size && part.p_filesz <= size - part.p_offset)
            id = find_build_id(image + part.p_offset, part.p_filesz, part.p_align, id_size);
    }
    return id;
}

int mp__posix_file_is(const char *path, const uint8_t *identity, size_t identity_size)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) || file.st_size <= 0) {
        mp__posix_close(fd);
        errno = ENOEXEC;
        return -1;
    }
    size_t size = (size_t)file.st_size;
    void *image = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    mp__posix_close(fd);
    if (image == MAP_FAILED)
        return -1;
    size_t id_size = 0;
    const uint8_t *id = image_build_id(image, size, &id_size);
    bool is = id && mp__posix_same_identity(id, id_size, identity, identity_size);
    munmap(image, size);
    return is;
}
