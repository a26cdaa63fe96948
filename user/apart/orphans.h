/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The commands of exec, when the process that has started them has died: its keeper has them then, and ends them. */
#ifndef NOLISTEN_ORPHANS_H
#define NOLISTEN_ORPHANS_H

/* From now on what our descendants leave behind is ours; whoever waits for one child sees the ends of all. -errno. */
int orphans_adopt(void);
/* SIGHUP for those that are there, as at the loader's end. So does what a command has left behind, if it leads a session of its own. */
void orphans_end(void);

#endif
