# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Completion that is the same for every program. completion.c prints it, and behind it the program's table: a function
# that sets, by sub-command ('' if there is none) and option, what there is to offer:
#
#   commands options    with option '': sub-commands; options as they are written, with "=" where an argument follows
#   values offers       words, and files, folders, interfaces, list (words with commas between); with option '': of
#                       the arguments without a name
#   takes               needed, optional: does the option take an argument?
#   rest                commands: behind "--"

# _nolisten_look COMMAND OPTION
_nolisten_look()
{
	commands='' options='' values='' offers='' takes='' rest=''
	"$table" "$1" "$2"
}

# Sets words: those up to the cursor, whole again where readline has parted them.
_nolisten_join()
{
	local word is_open=
	words=()
	for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
		if ((${#words[@]} > 1)) && [[ $is_open || $word =~ ^[=:]+$ ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
		is_open=
		[[ ! $word =~ ^[=:]+$ ]] || is_open=1
	done
}

_nolisten_interfaces()
{
	local name
	while read -r name _; do
		[[ $name != *: ]] || echo "$1${name%:}"
	done </proc/net/dev
}

# The values and offers, a line each. Of what a word ends in, as in banner:TEXT, only interfaces are known.
_nolisten_choices()
{
	local word
	for word in $values; do
		case $word in
		*:IFACE) _nolisten_interfaces "${word%IFACE}" ;;
		*:[[:upper:]]*) echo "${word%%:*}:" ;;
		*) echo "$word" ;;
		esac
	done
	case $offers in
	interfaces) _nolisten_interfaces '' ;;
	files) compgen -f -- "$1" ;;
	folders) compgen -d -- "$1" ;;
	esac
}

# _nolisten_reply LEAD VALUE CHOICE...: those that begin with VALUE; in front of which the word has LEAD.
_nolisten_reply()
{
	local lead=$1 value=$2 whole=$1$2 kept='' mark head choice
	shift 2
	# What is in front of readline's last mark stays as it is.
	for mark in = :; do
		[[ $COMP_WORDBREAKS == *"$mark"* && $whole == *"$mark"* ]] || continue
		head=${whole%"$mark"*}$mark
		((${#head} <= ${#kept})) || kept=$head
	done
	for choice; do
		[[ $choice == "$value"* ]] || continue
		choice=$lead$choice
		COMPREPLY+=("${choice#"$kept"}")
	done
	[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=:] ]] || compopt -o nospace 2>/dev/null
}

# _nolisten_offer LEAD VALUE: the values and offers that have been looked up.
_nolisten_offer()
{
	local lead=$1 value=$2 choices
	if [[ $offers == list ]]; then
		lead+=${value%"${value##*,}"}
		value=${value##*,}
		compopt -o nospace 2>/dev/null
	fi
	[[ $offers != f* ]] || compopt -o filenames 2>/dev/null
	mapfile -t choices < <(_nolisten_choices "$value")
	_nolisten_reply "$lead" "$value" "${choices[@]}"
}

# _nolisten_previous: is the word an argument of the option in front of it? Looks that up.
_nolisten_previous()
{
	case ${words[-1]} in
	--*) _nolisten_look "$command" "${words[-1]}" ;;
	-?*) _nolisten_look "$command" "-${words[-1]: -1}" ;;
	*) return 1 ;;
	esac
	[[ $takes == needed ]]
}

# Behind "--" there are arguments only, or somebody else's command.
_nolisten_rest()
{
	_nolisten_look "$command" ''
	if [[ $rest != commands ]]; then
		_nolisten_offer '' "$cur"
	elif [[ ${words[-1]} == -- ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
	fi
}

# _nolisten_complete TABLE
_nolisten_complete()
{
	local table=$1 words cur command='' commands options values offers takes rest IFS=$' \t\n'
	COMPREPLY=()
	_nolisten_join
	cur=${words[-1]}
	unset 'words[-1]'
	_nolisten_look '' ''
	[[ ! $commands || ${#words[@]} == 1 ]] || command=${words[1]}
	if [[ " ${words[*]} " == *' -- '* ]]; then
		_nolisten_rest
	elif [[ $cur == --*=* ]]; then
		_nolisten_look "$command" "${cur%%=*}"
		[[ ! $takes ]] || _nolisten_offer "${cur%%=*}=" "${cur#*=}"
	elif ! _nolisten_previous; then
		_nolisten_look "$command" ''
		[[ $cur != -* ]] || values=$options offers=''
		_nolisten_offer '' "$cur"
	else
		_nolisten_offer '' "$cur"
	fi
}
