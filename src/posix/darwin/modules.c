/* The modules of this process on macOS: their UUIDs and their code. */
#include "posix/posix.h"

#include <mach-o/dyld.h>
#include <mach-o/loader.h>
#include <string.h>

/* Mach-O on the systems that are still alive is of 64 bits. */
typedef struct mach_header_64 header_t;

static const struct load_command *next_command(const struct load_command *command)
{
    return (const struct load_command *)(const void *)((const char *)command + command->cmdsize);
}

static const struct load_command *first_command(const header_t *header)
{
    return (const struct load_command *)(const void *)(header + 1);
}

static void find_uuid(const header_t *header, mp__posix_module_t *module)
{
    const struct load_command *command = first_command(header);
    for (uint32_t i = 0; i < header->ncmds; i++, command = next_command(command)) {
        if (command->cmd != LC_UUID)
            continue;
        module->identity = ((const struct uuid_command *)(const void *)command)->uuid;
        module->identity_size = 16;
    }
}

bool mp__posix_modules(bool (*visit)(const mp__posix_module_t *module, void *context), void *context)
{
    /* One that is unloaded meanwhile shifts the others, and is NULL. */
    for (uint32_t i = 0; i < _dyld_image_count(); i++) {
        const header_t *header = (const header_t *)(const void *)_dyld_get_image_header(i);
        const char *path = _dyld_get_image_name(i);
        if (!header || !path || header->magic != MH_MAGIC_64)
            continue;
        mp__posix_module_t module = {
            .path = header->filetype == MH_EXECUTE ? "" : path, .base = (uintptr_t)header, .native = header};
        find_uuid(header, &module);
        if (visit(&module, context))
            return true;
    }
    return false;
}

/* Offsets are counted from the header, which is where the text segment lies. */
bool mp__posix_module_has_code(const mp__posix_module_t *module, uintptr_t address)
{
    const header_t *header = module->native;
    const struct load_command *command = first_command(header);
    uint64_t start = 0; /* where the text segment was linked to */
    for (uint32_t i = 0; i < header->ncmds; i++, command = next_command(command)) {
        const struct segment_command_64 *segment = (const void *)command;
        if (command->cmd != LC_SEGMENT_64)
            continue;
        if (strncmp(segment->segname, SEG_TEXT, sizeof segment->segname) == 0)
            start = segment->vmaddr;
    }
    uint64_t linked = address - (uintptr_t)header + start;
    command = first_command(header);
    for (uint32_t i = 0; i < header->ncmds; i++, command = next_command(command)) {
        const struct segment_command_64 *segment = (const void *)command;
        if (command->cmd == LC_SEGMENT_64 && (segment->initprot & VM_PROT_EXECUTE) && linked >= segment->vmaddr &&
            linked - segment->vmaddr < segment->vmsize)
            return true;
    }
    return false;
}

/* Many libraries are no files there, so the comparison has to wait until it is loaded. */
int mp__posix_file_is(const char *path, const uint8_t *identity, size_t identity_size)
{
    (void)path, (void)identity, (void)identity_size;
    return 1;
}
