/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "port_options.h"

#include <string.h>

#include "config.h"
#include "vlan.h"

/* Given again, it adds. */
int port_options_take(struct option_parse *parse, const struct option_row *row, const char *arg)
{
	struct port_set *ports = option_field(parse, row);
	struct port_set set;
	const char *why;

	if (!port_set_parse(arg, &set, &why))
		return option_refuse(parse, arg, "%s", why);
	port_set_unite(ports, &set);
	return 0;
}

/* A list of ports, or what raw sockets open. Given again, it adds to the list. */
int port_options_take_guard(struct option_parse *parse, const struct option_row *row,
			    const char *arg)
{
	struct guard_config *guard = option_field(parse, row);
	struct port_set set;
	const char *why;

	guard->is_on = true;
	guard->mode = NOL_GUARD_FLOWS;
	if (!strcmp(arg, "auto"))
		return 0;
	if (!port_set_parse(arg, &set, &why))
		return option_refuse(parse, arg, "%s", why);
	guard->mode = NOL_GUARD_PORTS;
	port_set_unite(&guard->ports, &set);
	return 0;
}

/* Given again, it adds. */
int port_options_take_vlans(struct option_parse *parse, const struct option_row *row,
			    const char *arg)
{
	struct port_set *vlans = option_field(parse, row);
	struct port_set set;
	const char *why;
	bool is_good = port_set_parse(arg, &set, &why);

	for (uint32_t id = VLAN_ID_MAX + 1; is_good && id <= UINT16_MAX; id++)
		is_good = !port_set_has(&set, (uint16_t)id);
	if (!is_good)
		return option_refuse(parse, arg, "VLAN IDs from 1 to %d are needed, as in 5,10-12",
				     VLAN_ID_MAX);
	port_set_unite(vlans, &set);
	return 0;
}
