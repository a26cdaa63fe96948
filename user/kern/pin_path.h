/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where things of an interface are pinned: /sys/fs/bpf/nolisten/IFACE/. */
#ifndef NOLISTEN_PIN_PATH_H
#define NOLISTEN_PIN_PATH_H

#include <stdbool.h>
#include <stdint.h>

#define PIN_ROOT "/sys/fs/bpf"
#define PIN_PARENT PIN_ROOT "/nolisten"
#define PIN_PATH_SIZE 96

/* Is a bpffs mounted there? */
bool pin_has_place(void);
/* name: "" is the folder itself, with a slash at its end. */
void pin_path(const char *ifname, const char *name, char path[PIN_PATH_SIZE]);
/* What outlives a loader is in a folder of its own for each load, named after a program's id; name as above. */
void pin_path_kept(const char *ifname, uint32_t generation, const char *name,
		   char path[PIN_PATH_SIZE]);
/* -errno. */
int pin_make_folders(const char *ifname);
/* Those that are empty. */
void pin_remove_folders(const char *ifname);

#endif
