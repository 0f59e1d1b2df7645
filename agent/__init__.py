"""The phone side of the voice agent: it speaks Sinch's stream channel and runs the calls."""

import pipelines as pipelines  # before anybody has numpy: see there
