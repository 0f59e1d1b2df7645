"""What a server does not take of a request: found out by asking, and remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import structlog

from pipelines.providers.transport.failures import OptionRefusedError
from pipelines.providers.transport.http import Http

log = structlog.get_logger()

Request = Callable[[Collection[str]], tuple[dict[str, Any], Collection[str]]]
"""Makes the body of a request without what is refused, and tells what else it could do without."""


class Refusals:
    """What one server does not take. Belongs to an adapter, and so is shared by all calls."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """What is to be left out from the beginning."""
        return self._known

    def confirm(self, refused: frozenset[str]) -> None:
        """Note that the server has answered a request without ``refused``, and log what is new."""
        if new := refused - self._known:
            log.warning("the server does not take all options", refused=sorted(new))
            self._known |= new

    @asynccontextmanager
    async def asking(
        self,
        http: Http,
        path: str,
        make: Request,
        **more: Any,  # noqa: ANN401 - of another
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Post a request, and once more without what the server refuses of it.

        Each time it names something that is still in the request, or this ends.

        Args:
            http: Where to.
            path: Below its base.
            make: Makes the request.
            more: Arguments of :meth:`Http.request`.

        Raises:
            ProviderError: As :meth:`Http.request`.
        """
        refused = self._known
        while True:
            body, options = make(refused)
            async with AsyncExitStack() as stack:
                asked = http.request("POST", path, json=body, options=options, **more)
                try:
                    answer = await stack.enter_async_context(asked)
                except OptionRefusedError as error:
                    refused |= error.options
                    continue
                self.confirm(refused)
                yield answer
                return
