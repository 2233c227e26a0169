# Hither's shell integration for fish: marks prompts and commands (OSC 133) and tells the directory
# (OSC 7). The shells that the gateway starts find it by XDG_DATA_DIRS, which is set back at once.

if set -q HITHER_XDG_DATA_DIRS
    set -gx XDG_DATA_DIRS $HITHER_XDG_DATA_DIRS
    set -e HITHER_XDG_DATA_DIRS
else
    set -e XDG_DATA_DIRS
end

# From version 4 on, fish writes these marks by itself.
if status is-interactive; and not set -q __hither_marks; and string match -qr '^[0-3]\.' -- $version
    set -g __hither_marks 1

    function __hither_prompt --on-event fish_prompt
        printf '\e]133;A\a'
    end

    function __hither_preexec --on-event fish_preexec
        printf '\e]133;C\a'
    end

    function __hither_postexec --on-event fish_postexec
        printf '\e]133;D;%s\a' $status
    end

    function __hither_directory --on-variable PWD
        printf '\e]7;file://%s%s\a' $hostname (string escape --style=url -- $PWD)
    end
    __hither_directory
end
