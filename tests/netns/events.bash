# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# What the loader's events tell. Part of helpers.bash: their names are here, and not in each test.

# What each event tells, for jq: our own members, with local and remote as ADDRESS:PORT, and the whole line as .eve. IPv6 is
# written out there; here it is short again.
EVENTS_TOLD='
	def short: [splits(":") | sub("^0{1,3}"; "")] | join(":") | sub("(^|:)0(:0)+(:|$)"; "::");
	def endpoint($ip; $port): if $ip == null then null elif $ip | contains(":") then "[\($ip | short)]:\($port)"
		else "\($ip):\($port)" end;
	.nolisten + {local: endpoint(.dest_ip; .dest_port), remote: endpoint(.src_ip; .src_port), eve: .} |'

# events [FILTER [JQ-OPTION...]]: of the events file, each as above.
events()
{
	jq "${@:2}" "$EVENTS_TOLD ${1:-.}" "$EVENTS"
}

# has_event FILTER: a line of the events file for which the jq expression is true.
has_event()
{
	[ -n "$(events "select($1)" -c)" ]
}

# has_one_id_a_flow: what begins with a first event and ends with a last one has one flow_id, which nothing else has.
has_one_id_a_flow()
{
	is_equal "$(events 'select(.remote) | "\(.remote) \(.local) \(.eve.flow_id) \(.event)"' -r | awk '
		{ flow = $1 " " $2 }
		$3 == "null" || ($3 in of && of[$3] != flow) || (flow in id && id[flow] != $3) { print "odd: " $0 }
		{ of[$3] = flow; id[flow] = $3 }
		$4 ~ /^(closed|reset|expired|refused)$/ { delete id[flow]; of[$3] = "nobody any more" }')" ""
}

# count_events KIND
count_events()
{
	events 'select(.event == "'"$1"'") | 1' -c | wc -l
}

# expect_event FILTER: within a few seconds.
expect_event()
{
	wait_for 5 has_event "$1" && return
	tail -n 20 "$EVENTS" >&2
	return 1
}
