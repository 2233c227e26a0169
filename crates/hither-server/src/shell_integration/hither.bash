# Hither's shell integration for bash: marks prompts and commands (OSC 133) and tells the directory
# (OSC 7). Read in place of ~/.bashrc by the shells that the gateway starts; their own file first.

if [[ -r ~/.bashrc ]]; then
    . ~/.bashrc
fi

# PS0 is there since bash 4.4.
if [[ $- == *i* && -z ${__hither_marks-} ]] && ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)); then
    __hither_marks=1
    __hither_prompted=
    __hither_directory=

    # The first of the commands before a prompt: it sees the exit code, and leaves it as it is.
    __hither_before() {
        local code=$?
        if [[ -n ${__hither_prompted-} ]]; then
            builtin printf '\e]133;D;%s\a' "$code"
        fi
        __hither_prompted=1
        return "$code"
    }

    # The last of them: whatever has made the prompt anew, the marks are around it.
    __hither_after() {
        local code=$?
        if [[ ${PS1-} != *']133;B'* ]]; then
            PS1='\[\e]133;A\a\]'${PS1-}'\[\e]133;B\a\]'
        fi
        if [[ ${PS0-} != *']133;C'* ]]; then
            PS0='\e]133;C\a'${PS0-}
        fi
        if [[ $PWD != "$__hither_directory" ]]; then
            __hither_directory=$PWD
            __hither_tell_directory
        fi
        return "$code"
    }

    __hither_tell_directory() {
        local LC_ALL=C path=$PWD encoded= character i
        for ((i = 0; i < ${#path}; i++)); do
            character=${path:i:1}
            case $character in
                [-a-zA-Z0-9/._~]) encoded+=$character ;;
                *) builtin printf -v character '%%%02X' "'$character" && encoded+=${character: -3:1}${character: -2} ;;
            esac
        done
        builtin printf '\e]7;file://%s%s\a' "${HOSTNAME-}" "$encoded"
    }

    if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == 'declare -a'* ]]; then
        PROMPT_COMMAND=(__hither_before "${PROMPT_COMMAND[@]}" __hither_after)
    else
        PROMPT_COMMAND=__hither_before${PROMPT_COMMAND:+$'\n'$PROMPT_COMMAND}$'\n'__hither_after
    fi
fi
