# Script: the program FOREIGN loads a copy of PLUGIN, which is then replaced by OTHER, another build.
cmake_minimum_required(VERSION 3.20)
set(work ${PLUGIN}.replaced)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})
file(COPY_FILE ${PLUGIN} ${work}/plugin)
file(COPY_FILE ${OTHER} ${work}/other)
execute_process(COMMAND ${FOREIGN} ${work}/plugin replaced ${work}/other COMMAND_ERROR_IS_FATAL ANY)
