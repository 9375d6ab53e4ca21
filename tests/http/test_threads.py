"""A step on a thread is over before what follows begins, even where its request is cancelled."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vna.http.threads import on_thread


def test_a_cancelled_request_waits_for_its_step() -> None:
    begun, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def step() -> None:
        begun.set()
        go_on.wait(10)
        order.append("step")

    async def request(pool: ThreadPoolExecutor) -> None:
        try:
            await on_thread(pool, step)
        finally:
            order.append("abort")

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            task = asyncio.create_task(request(pool))
            await asyncio.to_thread(begun.wait, 10)
            task.cancel()
            asyncio.get_running_loop().call_later(0.01, go_on.set)
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())

    assert order == ["step", "abort"]


def test_a_step_gives_its_result_or_its_error() -> None:
    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            assert await on_thread(pool, lambda: 7) == 7
            with pytest.raises(ZeroDivisionError):
                await on_thread(pool, lambda: 1 // 0)

    asyncio.run(main())
