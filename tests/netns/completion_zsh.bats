#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Completion in zsh, as the programs print it and as a shell on a terminal asks for it.
load helpers

setup_file()
{
	lab_up
}

teardown_file()
{
	lab_down
}

# offers TEXT LINE: at the end of the line, which begins with the program's name.
offers()
{
	command -v zsh >/dev/null || skip "zsh is not installed"
	run in_server timeout $((20 * PATIENCE)) "$BATS_TEST_DIRNAME/../tools/zsh_offers.zsh" "$BIN/${2%% *}" "$2"
	is_equal "$(printf '%s\n' "${lines[@]}" | xargs)" "$1" && is_equal "$status" 0
}

@test "offers sub-commands, and the options of each" {
	offers 'status' 'nolisten st'
	offers '--help --json --openmetrics -h -j' 'nolisten status -'
	offers '--completion --help --version -h -V' 'nolisten -'
	offers '' 'nolisten nothing '
}

@test "offers the words of an option, however it is written" {
	offers 'auto xdp engine connect accept nfqueue filter raw' 'nolisten-loader -m '
	offers 'nfqueue' 'nolisten-loader eth0 -qm n'
	offers 'nfqueue' 'nolisten-loader --method=n'
	offers 'self-connect' 'nolisten explain --demo=se'
	offers 'echo echo-generic' 'nolisten bench --methods=listen,ec'
}

@test "offers interfaces and files where they are asked for, and what a word begins with" {
	cd "$BATS_TEST_TMPDIR"
	touch file
	offers 'lo eth0' 'nolisten-loader '
	offers 'lo' 'nolisten flows l'
	offers 'redirect:lo redirect:eth0' 'nolisten-loader --rst=r'
	offers 'banner:' 'nolisten-loader -s ba'
	offers 'file' 'nolisten-loader --config=fi'
	offers 'file' 'nolisten meet 10.0.0.1:1 10.0.0.2:2 -- cat fi'
}

@test "is right for zsh, and other shells are refused" {
	local program
	for program in nolisten nolisten-loader; do
		"$BIN/$program" --completion=zsh | zsh -n
		"$BIN/$program" --completion=bash | cmp - <("$BIN/$program" --completion)
		run "$BIN/$program" --completion=fish
		is_equal "$status $output" "2 $program: --completion: 'fish': not one of bash, zsh"
	done
}
