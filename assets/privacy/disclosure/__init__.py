"""Disclosure control: the only road from exact tables to published ones.

No group of 1 to 10 patients may be seen, and none may be worked out from all that is published: every table, margin,
share and interval of this release together, and of the previous one. The threshold follows the cell suppression policy
of the Centers for Medicare & Medicaid Services (no cell of 1 to 10, zero allowed). It binds users of their data and is
adopted here as the convention.

One step each: ``cells`` (which counts are the same group), ``relations`` (what follows from what), ``knowledge`` (what
is printed), ``bounds`` (what can be known of a hidden count), ``cover`` (what else to hide, so that it is as little as
possible), ``printing`` (rounding), and ``protect``, which puts them together.

Everybody or nobody. A share of 0 or 100 percent tells the result of each member of a group. The profile ``internal``
shows it from 11 patients on, like every share: its readers are the clinic's own staff, who may look into each of these
records, and a rate that vanishes exactly where all have recovered would mislead them. The profile ``public`` does not:
anybody who knows that a neighbour was treated there would know the neighbour's result. A part of 0 counts there as one
of 1 to 10: the share is printed as if it were 5 and marked ``approximate``, so it cannot be told from a small one.

What is not looked at: means, standard deviations and adjusted numbers, whose last printed place could narrow the size
of a group that is shown; and what a reader knows of single patients from elsewhere.
"""

from __future__ import annotations

from assets.privacy.disclosure.profiles import MINIMUM_GROUP

__all__ = ["MINIMUM_GROUP"]
