"""The scripts by which shells ask the command how to complete a word."""

from __future__ import annotations

_BASH = """\
_asd() {
    local IFS=$'\\n' line="${COMP_LINE:0:COMP_POINT}" word cut ends='=:'
    COMPREPLY=($(COMP_LINE="$line" asd -sc query=bash 2> /dev/null))
    word="${line##* }"
    # To bash, = and : end a word, and mostly @: what stands before is on the line already.
    if [[ "$COMP_WORDBREAKS" == *=* ]]; then
        [[ "$COMP_WORDBREAKS" == *@* ]] && ends='=:@'
        cut="${word%"${word##*[$ends]}"}"
        COMPREPLY=("${COMPREPLY[@]#"$cut"}")
    fi
}
complete -o nospace -o default -F _asd asd
"""
_ZSH = """\
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_asd() {
    local -a found
    found=(${(f)"$(COMP_LINE="$LBUFFER" asd -sc query=zsh 2> /dev/null)"})
    if (( $#found )); then
        compadd -Q -S '' -- $found
    else
        _files
    fi
}
compdef _asd asd
"""
_FISH = """\
complete -c asd -e
complete -c asd -a '(env COMP_LINE=(commandline -cp) asd -sc query=fish 2> /dev/null)'
"""
SCRIPTS = {
    ("install", "bash"): _BASH,
    ("install", "zsh"): _ZSH,
    ("install", "fish"): _FISH,
    ("uninstall", "bash"): "complete -r asd\nunset -f _asd\n",
    ("uninstall", "zsh"): "compdef -d asd\nunfunction _asd\n",
    ("uninstall", "fish"): "complete -c asd -e\n",
}
"""By what is asked for, and the shell: what the shell is to evaluate."""
SHELLS = ("bash", "zsh", "fish")
