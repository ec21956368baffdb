"""An HTTP server that responds to every request immediately, to find the load generator's limit.

Usage: python -m capacity.null_server RESPONSE_BYTES
"""

import asyncio
import sys

HEAD_END = b"\r\n\r\n"


class NullProtocol(asyncio.Protocol):
    """Reads complete requests, and sends the same bytes in response to each."""

    def __init__(self, response: bytes) -> None:
        self.response = response
        self.received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport to write responses to."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - always so for TCP
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to each request that is complete."""
        self.received += data
        while (head_end := self.received.find(HEAD_END)) >= 0:
            head = bytes(self.received[:head_end]).lower()
            _, found, rest = head.partition(b"\r\ncontent-length:")
            body_bytes = int(rest.partition(b"\r\n")[0]) if found else 0
            request_bytes = head_end + len(HEAD_END) + body_bytes
            if len(self.received) < request_bytes:
                return
            del self.received[:request_bytes]
            self.transport.write(self.response)


async def main(response_bytes: int) -> None:
    """Serve on a free loopback port, print the port, and exit when stdin closes."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {response_bytes}\r\n\r\n".encode()
    response = head + bytes(response_bytes)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: NullProtocol(response), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
