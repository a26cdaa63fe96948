/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How sure a median is. The interval is that of order statistics: between the k-th smallest and the k-th largest value the true
 * median lies with 95 % or more, whatever the distribution is, with k from the binomial distribution. It needs no
 * resampling, and is right for six values as for six hundred. A share is different: one bad round is to show, which a median
 * would hide. Its interval is that of a bootstrap over whole rounds, as clients of one round fare alike, with its percentiles moved out as Student's
 * t has it for so few (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", expanded percentiles), and is no narrower
 * than Wilson's of all clients: that everybody was served in each round does not mean that everybody always is.
 */
#ifndef NOLISTEN_INTERVAL_H
#define NOLISTEN_INTERVAL_H

#include <stdbool.h>

#define INTERVAL_COUNT_MIN 6 /* of fewer values nothing can be said with 95 % */
#define INTERVAL_MISS 0.05 /* of 95 % intervals: how many do not have the true value in them */

struct interval {
	double value; /* the median or mean */
	double low, high; /* -INFINITY and INFINITY: not known */
	unsigned int count; /* of the values that it stands on */
};

/* count > 0; values is left as it is. At most "miss" of such intervals do not have the true median in them. */
struct interval interval_of_median(const double *values, unsigned int count, double miss);
/* Of a mean of shares in % with these weights (how many clients a round had), > 0. */
struct interval interval_of_share(const double *values, const double *weights, unsigned int count,
				  double miss);

struct change_rounds {
	const double *values;
	unsigned int count; /* > 0 */
};

/*
 * Between two runs, whose rounds are no pairs: a bootstrap over the rounds of both. The interval of the ratio has 1 in it
 * exactly if that of the difference has 0.
 */
struct change {
	double old_value, new_value; /* medians, or means */
	struct interval ratio; /* new to old; value NAN: not all of it is positive */
	struct interval difference; /* new - old */
};

/* -ENOMEM. */
int interval_of_change(const struct change_rounds *old, const struct change_rounds *new,
		       bool is_mean, struct change *out);

#endif
