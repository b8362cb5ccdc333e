/* What a child is given beside its call. What must be there before its image runs (environment, standard streams) goes
 * through the start; everything else the child does to itself, so that all start methods have it from here. */
#include "objects/process_options.h"

#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static const char step[] = "prepare a process";

/* ---- checks */

static mp_status_t check_limits(const mp_limits_t *limits)
{
    const mp__os_caps_t *caps = mp__os_caps();
    if (!(limits->cpu_time >= 0))
        return mp__error(MP_INVALID, step, "its limit of processor time is no number of seconds");
    if (limits->memory && !caps->memory_use)
        return mp__error(MP_UNSUPPORTED, step, "this system does not tell how much memory a process uses");
    if (limits->open_files && !caps->limit_files)
        return mp__error(MP_UNSUPPORTED, step, "this system has no limit of open files");
    if (limits->processes && !caps->limit_processes)
        return mp__error(MP_UNSUPPORTED, step, "this system has no limit of a child's processes");
    return MP_OK;
}

static mp_status_t check(const mp_process_options_t *options)
{
    for (size_t i = 0; options->environment && options->environment[i]; i++)
        if (options->environment[i][0] == '\0' || options->environment[i][0] == '=')
            return mp__error(MP_INVALID, step, "\"%.100s\" in its environment has no name", options->environment[i]);
    if (!(options->start_timeout >= 0))
        return mp__error(MP_INVALID, step, "start_timeout is no time from 0 on: %g", options->start_timeout);
    if (options->detach && options->daemon)
        return mp__error(MP_INVALID, step, "detach and daemon: it cannot both outlive its parent and end with it");
    if (options->priority < -20 || options->priority > 19)
        return mp__error(MP_INVALID, step, "there is no priority %d", options->priority);
    return check_limits(&options->limits);
}

/* ---- settings */

static mp_status_t set_processors(mp__settings_t *settings, const mp_process_options_t *options)
{
    if (!options->processors)
        return MP_OK;
    if (!mp__os_caps()->affinity)
        return mp__error(MP_UNSUPPORTED, step, "this system cannot bind a process to processors");
    if (!options->processor_count)
        return mp__error(MP_INVALID, step, "it may run on no processor");
    for (size_t i = 0; i < options->processor_count; i++) {
        int number = options->processors[i];
        if (number < 0 || number >= (int)MP__PROCESSOR_WORDS * 64)
            return mp__error(MP_INVALID, step, "there is no processor %d", number);
        settings->processors[number / 64] |= UINT64_C(1) << number % 64;
    }
    settings->has_processors = 1;
    return MP_OK;
}

mp_status_t mp__texts_add(mp__buffer_t *texts, const char *text, size_t length)
{
    mp_status_t status = mp__buffer_append(texts, text, length);
    return status == MP_OK ? mp__buffer_append(texts, "", 1) : status;
}

static mp_status_t add_texts(mp__outfit_t *outfit)
{
    const mp_process_options_t *options = outfit->options;
    mp_status_t status = MP_OK;
    if (options->directory) {
        outfit->settings.has_directory = 1;
        status = mp__texts_add(&outfit->texts, options->directory, strlen(options->directory));
    }
    for (size_t i = 0; status == MP_OK && options->environment && options->environment[i]; i++) {
        outfit->settings.variables++;
        status = mp__texts_add(&outfit->texts, options->environment[i], strlen(options->environment[i]));
    }
    if (outfit->texts.size > UINT32_MAX)
        return mp__error(MP_TOO_LARGE, step, "its environment is larger than 4 GiB");
    outfit->settings.text_size = (uint32_t)outfit->texts.size;
    return status;
}

/* Whole nanoseconds, at least one. */
static int64_t to_nanoseconds(double seconds)
{
    double nanoseconds = seconds * (double)MP__SECOND;
    return nanoseconds >= (double)INT64_MAX ? 0 : nanoseconds < 1 ? seconds > 0 : (int64_t)nanoseconds;
}

static mp_status_t make_settings(mp__outfit_t *outfit)
{
    const mp_process_options_t *options = outfit->options;
    mp__settings_t *settings = &outfit->settings;
    settings->priority = options->priority;
    settings->group = options->group;
    settings->detached = options->detach;
    settings->cpu_time = to_nanoseconds(options->limits.cpu_time);
    settings->memory = options->limits.memory;
    settings->open_files = options->limits.open_files;
    mp_status_t status = set_processors(settings, options);
    return status == MP_OK ? add_texts(outfit) : status;
}

/* ---- standard streams */

static mp_status_t open_pipe(mp__outfit_t *outfit, size_t number)
{
    mp_status_t status = mp__os_pipe_create(number == MP_STDIN, &outfit->streams.ends[number], &outfit->opened[number]);
    outfit->streams.were_pipes[number] = status == MP_OK;
    outfit->standard[number] = outfit->opened[number];
    return status;
}

static mp_status_t open_file(mp__outfit_t *outfit, size_t number, const mp_stdio_t *wanted)
{
    if (!wanted->path || (number == MP_STDIN && wanted->kind == MP_STDIO_APPEND))
        return mp__error(MP_INVALID, step, wanted->path ? "its input cannot be appended to" : "a file without a path");
    mp__os_file_t mode = number == MP_STDIN                ? MP__OS_FILE_READ
                         : wanted->kind == MP_STDIO_APPEND ? MP__OS_FILE_APPEND
                                                           : MP__OS_FILE_WRITE;
    mp_status_t status = mp__os_file_open(wanted->path, mode, &outfit->opened[number]);
    outfit->standard[number] = outfit->opened[number];
    return status == MP_OK ? MP_OK : mp__error_about(wanted->path);
}

static mp_status_t open_stream(mp__outfit_t *outfit, size_t number, const mp_stdio_t *wanted)
{
    switch (wanted->kind) {
    case MP_STDIO_DEFAULT:
        outfit->standard[number] = number == MP_STDIN ? MP__NO_HANDLE : mp__os_standard(number);
        return MP_OK;
    case MP_STDIO_INHERIT:
        outfit->standard[number] = mp__os_standard(number);
        return MP_OK;
    case MP_STDIO_NULL:
        return MP_OK;
    case MP_STDIO_PIPE:
        return open_pipe(outfit, number);
    case MP_STDIO_FILE:
    case MP_STDIO_APPEND:
        return open_file(outfit, number, wanted);
    case MP_STDIO_MERGED:
        outfit->standard[number] = outfit->standard[MP_STDOUT];
        return number == MP_STDERR ? MP_OK : mp__error(MP_INVALID, step, "only its error can be merged");
    default:
        return mp__error(MP_INVALID, step, "there is no such stream: %d", (int)wanted->kind);
    }
}

static mp_status_t open_streams(mp__outfit_t *outfit)
{
    const mp_process_options_t *options = outfit->options;
    mp_status_t status = open_stream(outfit, MP_STDIN, &options->input);
    if (status == MP_OK)
        status = open_stream(outfit, MP_STDOUT, &options->output);
    return status == MP_OK ? open_stream(outfit, MP_STDERR, &options->error) : status;
}

void mp__streams_init(mp__streams_t *streams)
{
    *streams = (mp__streams_t){.ends = {MP__NO_HANDLE, MP__NO_HANDLE, MP__NO_HANDLE}};
}

void mp__stream_close(mp__streams_t *streams, size_t number)
{
    streams->closing[number] = true;
    if (streams->users[number])
        return;
    mp__os_handle_close(streams->ends[number]);
    streams->ends[number] = MP__NO_HANDLE;
}

void mp__streams_retire(mp__streams_t *streams)
{
    for (size_t i = 0; i < MP__COUNT_OF(streams->ends); i++)
        mp__stream_close(streams, i);
}

void mp__streams_close(mp__streams_t *streams)
{
    for (size_t i = 0; i < MP__COUNT_OF(streams->ends); i++) {
        mp__os_handle_close(streams->ends[i]);
        streams->ends[i] = MP__NO_HANDLE;
    }
}

/* ---- the parent's side */

mp_status_t mp__outfit_make(mp__outfit_t *outfit, const mp_process_options_t *options)
{
    *outfit = (mp__outfit_t){.options = options};
    mp__buffer_init(&outfit->texts);
    mp__streams_init(&outfit->streams);
    for (size_t i = 0; i < MP__COUNT_OF(outfit->standard); i++)
        outfit->standard[i] = outfit->opened[i] = MP__NO_HANDLE;
    mp_status_t status = check(options);
    if (status == MP_OK)
        status = make_settings(outfit);
    if (status == MP_OK)
        status = open_streams(outfit);
    if (status == MP_OK)
        return MP_OK;
    mp_error_t error = *mp_error();
    mp__outfit_fini(outfit, NULL);
    return mp__error_again(&error);
}

void mp__outfit_fini(mp__outfit_t *outfit, mp__streams_t *streams)
{
    mp__buffer_fini(&outfit->texts);
    for (size_t i = 0; i < MP__COUNT_OF(outfit->opened); i++)
        mp__os_handle_close(outfit->opened[i]);
    if (streams)
        *streams = outfit->streams;
    else
        mp__streams_close(&outfit->streams);
}

const char **mp__outfit_environment(const mp__outfit_t *outfit, const char *first, const char *second)
{
    const char *const *given = outfit->options->environment;
    size_t n = outfit->settings.variables;
    const char **list = malloc((n + 3) * sizeof *list);
    if (!list)
        return NULL;
    for (size_t i = 0; i < n; i++)
        list[i] = given[i];
    list[n] = first;
    list[n + 1] = second;
    list[n + 2] = NULL;
    return list;
}

/* ---- the child's side */

/* The next text, or NULL where they are damaged. */
static const char *next_text(const char **texts, const char *end)
{
    const char *text = *texts;
    const char *zero = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
    if (zero)
        *texts = zero + 1;
    return zero ? text : NULL;
}

static mp_status_t apply_texts(const mp__settings_t *settings, const char *texts, bool executed)
{
    const char *end = texts + settings->text_size;
    const char *directory = settings->has_directory ? next_text(&texts, end) : "";
    mp_status_t status = directory ? MP_OK : mp__error(MP_CORRUPT, step, "its settings are damaged");
    for (uint32_t i = 0; !executed && status == MP_OK && i < settings->variables; i++) {
        const char *entry = next_text(&texts, end);
        status = entry ? mp__os_environment_set(entry) : mp__error(MP_CORRUPT, step, "its settings are damaged");
    }
    if (status != MP_OK || !settings->has_directory)
        return status;
    status = mp__os_directory_set(directory);
    return status == MP_OK ? MP_OK : mp__error_about(directory);
}

mp_status_t mp__settings_apply(const mp__settings_t *settings, const char *texts, bool executed)
{
    mp_status_t status = apply_texts(settings, texts, executed);
    if (status == MP_OK && (settings->group || settings->detached))
        status = mp__os_group_lead(settings->detached);
    if (status == MP_OK && settings->priority)
        status = mp__os_priority_set(settings->priority);
    if (status == MP_OK && settings->has_processors)
        status = mp__os_affinity_set(settings->processors, MP__PROCESSOR_WORDS);
    if (status == MP_OK && settings->open_files)
        status = mp__os_limit_files(settings->open_files);
    if (status == MP_OK && settings->cpu_time)
        status = mp__os_limit_cpu_time(settings->cpu_time);
    return status;
}
