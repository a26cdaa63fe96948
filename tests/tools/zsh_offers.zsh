#!/usr/bin/zsh -f
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# zsh_offers.zsh PROGRAM LINE: what an interactive zsh, on a terminal of its own, would offer at the end of the line, a word
# a line. What is given to compadd is looked at, since what is shown depends on the terminal.
zmodload zsh/zpty
zpty shell zsh -f -i
script=$(mktemp)
trap 'rm -f $script' EXIT
cat >$script <<'SCRIPT'
PROMPT= PS2=
autoload -Uz compinit
compinit -u -D
compadd()
{
	local -a hits before after
	if [[ " ${(j: :)@[1,(i)(-|--)]} " == *' '-[OAD]' '* ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A hits "$@"
	zparseopts -E P:=before S:=after
	((!$#hits)) || print -rl -- "offer:"$^hits
	builtin compadd "$@"
}
offers_begin() { print -r "begin:"; }
offers_end() { print -r "end:"; exit; }
compprefuncs=(offers_begin)
comppostfuncs=(offers_end)
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
zstyle ':completion:*' menu no
SCRIPT
print -r -- "source <($1 --completion=zsh); print loaded" >>$script
zpty -w shell "source $script"
zpty -r -m shell said '*loaded*' || exit 2
zpty -n -w shell "$2"$'\t'
zpty -r -m shell said '*end:*' || exit 2
print -r -- ${said##*begin:} | tr -d '\r' | sed -n 's/^offer://p' | awk '!seen[$0]++'
