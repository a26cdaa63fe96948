/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lab that the scenes are played in. */
#ifndef NOLISTEN_DEMO_LAB_H
#define NOLISTEN_DEMO_LAB_H

#include "lab.h"

#define DEMO_IFNAME "nol-demo" /* in both places */
#define DEMO_SERVER "10.0.0.2"
#define DEMO_CLIENT "10.0.0.1"

extern const struct lab_plan demo_lab_plan;

#endif
