"""Who we are to the stand-in: nobody's, unlike the samples of Sinch's documentation."""

from __future__ import annotations

from agent.sinch.api.signing import Credentials

V1 = Credentials(
    scheme="application",
    key_id="1b7d0f52-6a0e-4c39-9d27-c5e1f8a40b66",
    secret="q3RZ0kVd8m1uYt5gHc7xWA==",
)
V2 = Credentials(
    scheme="service",
    key_id="7e45c9a8-30bf-4d12-8a6f-2b9d61e0c374",
    secret="Lk9vPz2eQ6rTn4sJb8yXuQ==",
)
