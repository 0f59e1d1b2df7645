"""The speech side of the voice agent: it knows nothing of phones, servers or files."""

import os

# Before anybody has numpy: its larger products would be shared out among all cores otherwise, and
# the one that carries calls keeps itself busy until the others have done their part. To resample a
# second takes 0.37 ms of one thread; of two, beside other work, 0.6 to 2, 8 at the 95th percentile.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
