"""Blocking steps of a request, one after the other on threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def start(pool: ThreadPoolExecutor, step: Callable[[], T]) -> asyncio.Future[T]:
    """Begin a step; await it with `finished`."""
    return asyncio.get_running_loop().run_in_executor(pool, step)


async def finished(step: asyncio.Future[T]) -> T:
    """The result of a step. Even a cancelled request waits for it: what ends the request must not
    run beside what it ends."""
    try:
        return await asyncio.shield(step)
    finally:
        if not step.done():
            await asyncio.wait({step})


async def on_thread(pool: ThreadPoolExecutor, step: Callable[[], T]) -> T:
    """Run one step and give its result."""
    return await finished(start(pool, step))
