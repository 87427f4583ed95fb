"""Simulate a long line: a TCP proxy that holds every byte for half a round trip, each way.

Bandwidth is not limited, only when the bytes arrive.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def delayed(host: str, port: int, round_trip: float) -> Iterator[int]:
    """Listen on 127.0.0.1 for connections to a host, and delay what passes.

    Args:
        host: Where to.
        port: Its port.
        round_trip: Seconds that a round trip takes.

    Yields:
        The port to connect to.
    """
    loop = asyncio.new_event_loop()
    pipes: set[asyncio.Task[None]] = set()

    async def pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 18):
                # in the order of calls, since all wait equally long
                loop.call_later(round_trip / 2, target.write, data)
        loop.call_later(round_trip / 2 + 0.001, target.close)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(round_trip)  # the handshake
        there_reader, there_writer = await asyncio.open_connection(host, port)
        for coroutine in (pipe(reader, there_writer), pipe(there_reader, writer)):
            task = asyncio.create_task(coroutine)
            pipes.add(task)
            task.add_done_callback(pipes.discard)

    server = loop.run_until_complete(asyncio.start_server(accept, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))  # they end
        loop.close()
