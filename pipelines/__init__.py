"""When and where it runs."""

import os

# The statistics solve many small systems: more threads cost twice the CPU time for no gain, and sums over another
# number of threads may differ in the last digit. Has to be said before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
