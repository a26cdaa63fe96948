/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* By libcap-ng, whose state is a thread's. */
#include "capabilities.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

capability_set capabilities_permitted(void)
{
	capability_set out = 0;

	if (capng_get_caps_process())
		return 0;
	for (unsigned int one = 0; one <= CAP_LAST_CAP; one++)
		if (capng_have_capability(CAPNG_PERMITTED, one))
			out |= 1ull << one;
	return out;
}

/* Until there is none of that number: the kernel may know more of them than we do. */
void capabilities_bound(capability_set kept)
{
	for (unsigned int one = 0; one < 64 && prctl(PR_CAPBSET_READ, one) >= 0; one++)
		if (!(kept & 1ull << one))
			prctl(PR_CAPBSET_DROP, one);
}

/* Ambient ones go with those that can be inherited. */
int capabilities_keep(capability_set kept, bool for_programs)
{
	capng_type_t where = CAPNG_EFFECTIVE | CAPNG_PERMITTED;

	kept &= capabilities_permitted();
	if (for_programs)
		where |= CAPNG_INHERITABLE;
	capng_clear(CAPNG_SELECT_CAPS);
	for (unsigned int one = 0; one <= CAP_LAST_CAP; one++)
		if (kept & 1ull << one)
			capng_update(CAPNG_ADD, where, one);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	for (unsigned int one = 0; for_programs && one <= CAP_LAST_CAP; one++)
		if (kept & 1ull << one && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, one, 0, 0))
			return -errno;
	return 0;
}
