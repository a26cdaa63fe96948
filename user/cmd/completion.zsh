# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Completion that is the same for every program. completion_zsh.c prints it behind the "#compdef" line, and behind it a
# function for the program, whose specifications for _arguments come from the table.

_nolisten_interfaces()
{
	local line
	reply=()
	while read -r line; do
		[[ $line != *:* ]] || reply+=(${line%%:*})
	done </proc/net/dev
}

# _nolisten_values WORD...: of what a word ends in, as in banner:TEXT, only interfaces are known.
_nolisten_values()
{
	local word
	local -a whole open reply
	for word; do
		case $word in
		*:IFACE)
			_nolisten_interfaces
			whole+=(${word%IFACE}${^reply})
			;;
		*:[[:upper:]]*) open+=(${word%%:*}:) ;;
		*) whole+=($word) ;;
		esac
	done
	compadd -a whole
	compadd -S '' -a open
}

_nolisten_list()
{
	_sequence compadd - "$@"
}

_nolisten_ifname()
{
	local -a reply
	_nolisten_interfaces
	compadd -a reply
}

# Behind "--" there is somebody else's command.
_nolisten_rest()
{
	local -i at=${words[(i)--]}
	((at < CURRENT)) || return 1
	shift $at words
	((CURRENT -= at))
	_normal
}

