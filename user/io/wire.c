/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "wire.h"

void wire_free(struct wire *wire)
{
	if (wire && wire->ops->free)
		wire->ops->free(wire);
}
