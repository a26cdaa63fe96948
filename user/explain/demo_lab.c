/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "demo_lab.h"

const struct lab_plan demo_lab_plan = {
	.who = "",
	.ifname = DEMO_IFNAME,
	.prefix_bits = 24,
	.ends = {[LAB_SERVER] = {.address = DEMO_SERVER}, [LAB_CLIENT] = {.address = DEMO_CLIENT}},
};
