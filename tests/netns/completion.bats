#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Completion in bash, as the programs print it and as readline asks for it.
load helpers

setup_file()
{
	lab_up
}

teardown_file()
{
	lab_down
}

# Calls the function that is registered for the program, with the line's words as readline parts them, and prints what
# it offers, "~" in front where no space would follow.
# shellcheck disable=SC2016
OFFER='
	source <("$1" --completion)
	compopt() { COMPOPT="$*"; }
	COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=${3-$COMP_WORDBREAKS} COMP_WORDS=() COMPOPT=
	pattern="^([[:space:]]*)([=:]+|[^[:space:]=:]+)"
	[[ $COMP_WORDBREAKS == *=* ]] || pattern="^([[:space:]]*)([^[:space:]]+)"
	rest=$2
	while [[ $rest =~ $pattern ]]; do
		COMP_WORDS+=("${BASH_REMATCH[2]}")
		rest=${rest#"${BASH_REMATCH[0]}"}
	done
	[ -z "$rest" ] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	registered=$(complete -p "${COMP_WORDS[0]}") || exit
	registered=${registered#*-F }
	"${registered%% *}"
	[[ $COMPOPT != *nospace* ]] || printf "~"
	# Readline shows the same twice once.
	printf "%s\n" "${COMPREPLY[@]}" | awk "!seen[\$0]++" | paste -sd " "
'

# offers TEXT LINE [WORDBREAKS]: at the end of the line, which begins with the program's name.
offers()
{
	run in_server bash -c "$OFFER" bash "$BIN/${2%% *}" "${@:2}"
	is_equal "$output" "$1" && is_equal "$status" 0
}

@test "offers sub-commands" {
	offers 'flows status top self meet connect explain guard run unload bench' 'nolisten '
	offers 'meet' 'nolisten m'
	offers '--completion --completion=' 'nolisten --c'
	offers 'zsh' 'nolisten --completion=z'
	offers '' 'nolisten nothing '
	offers '' 'nolisten nothing --'
}

@test "offers the options of each command" {
	offers '-j --json --openmetrics -h --help' 'nolisten status -'
	offers '--quick --time= --slice= --only= --methods= --peer= --out= --loader= --serve= --compare= --help' 'nolisten bench --'
	offers '~--timeout=' 'nolisten meet --t'
	offers '--demo --demo=' 'nolisten explain --dem'
	offers '~--cookie-key=' 'nolisten-loader --coo'
}

@test "offers the words of an option, however it is written" {
	local words='auto xdp engine connect accept nfqueue filter raw' breaks=$' \t\n'
	offers "$words" 'nolisten-loader -m '
	offers "$words" 'nolisten-loader --method '
	offers "$words" 'nolisten-loader --method='
	offers 'nfqueue' 'nolisten-loader eth0 -qm n'
	offers 'nfqueue' 'nolisten-loader eth0 --method=n'
	offers '--method=nfqueue' 'nolisten-loader eth0 --method=n' "$breaks"
	offers 'all' 'nolisten-loader -p '
	offers 'self-connect' 'nolisten explain --demo=se'
}

@test "offers what a word begins with, and interfaces where it ends in one" {
	offers '~banner:' 'nolisten-loader -s b'
	offers '~forward:' 'nolisten-loader -s fo'
	offers 'tarpit' 'nolisten-loader -s t'
	offers 'drop redirect:lo redirect:eth0 pass' 'nolisten-loader --rst='
	offers 'eth0' 'nolisten-loader --rst=redirect:e'
	offers '--rst=redirect:eth0' 'nolisten-loader --rst=redirect:e' $' \t\n'
	offers 'redirect:eth0' 'nolisten-loader --rst redirect:e' $' \t\n'
}

@test "offers one word of a list after the other" {
	offers '~synproxy' 'nolisten bench --methods syn'
	offers '~listen,echo listen,echo-generic' 'nolisten bench --methods=listen,ec'
	offers '~handoff' 'nolisten bench --only=hando'
}

@test "offers interfaces where one is named" {
	offers 'lo eth0' 'nolisten-loader '
	offers 'eth0' 'nolisten-loader -q e'
	offers 'lo eth0' 'nolisten explain '
	offers 'lo' 'nolisten flows l'
	offers '' 'nolisten self '
	offers '' 'nolisten-loader --max-flows '
}

@test "offers files and folders where they are asked for" {
	cd "$BATS_TEST_TMPDIR"
	mkdir folder
	touch file 'two words'
	offers 'file folder' 'nolisten-loader --events=f'
	offers 'file folder' 'nolisten-loader --cookie-key f'
	offers 'folder' 'nolisten bench --out=f'
	offers 'file folder' 'nolisten bench --compare f'
	offers 'file folder' 'nolisten bench --compare old.json f'
	offers 'two words' 'nolisten-loader --events=tw'
}

@test "offers commands and files behind --" {
	cd "$BATS_TEST_TMPDIR"
	touch -- -file
	offers 'setpriv' 'nolisten meet 10.0.0.1:1 10.0.0.2:2 -- setpri'
	offers '-file' 'nolisten meet 10.0.0.1:1 10.0.0.2:2 -- cat -f'
	offers 'lo' 'nolisten-loader -- l'
}
