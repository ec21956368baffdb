"""A server that answers every invocation at once: the fastest that the load generator can meet."""

import asyncio
import sys


class Instant(asyncio.Protocol):
    """Reads whole payloads, and answers each with the same bytes."""

    def __init__(self, reply: bytes) -> None:
        self.reply = reply
        self.received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - asyncio's types say less than its documentation
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer if a payload is whole."""
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            _, there, rest = bytes(self.received[:end]).lower().partition(b"\r\ncontent-length:")
            whole = end + 4 + (int(rest.partition(b"\r\n")[0]) if there else 0)
            if len(self.received) < whole:
                return
            del self.received[:whole]
            self.transport.write(self.reply)


async def main(reply_bytes: int) -> None:
    """Serve on a free port of the loopback, which is printed, until the standard input ends."""
    reply = f"HTTP/1.1 200 OK\r\nContent-Length: {reply_bytes}\r\n\r\n".encode() + bytes(
        reply_bytes
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Instant(reply), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
