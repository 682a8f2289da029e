"""A client of python3-websockets, driven by lines: see websocket_test.go."""

import asyncio
import sys

import websockets


async def hear(socket):
    try:
        async for message in socket:
            print("message", message, flush=True)
    except websockets.ConnectionClosed:
        pass
    print("close", socket.close_code, socket.close_reason, flush=True)


async def obey(socket):
    lines = asyncio.StreamReader(limit=1 << 20)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := (await lines.readline()).decode():
        verb, _, rest = line.rstrip("\n").partition(" ")
        if verb == "send":
            await socket.send(rest)
        elif verb == "ping":
            await (await socket.ping(b"hi"))
            print("pong hi", flush=True)
        elif verb == "close":
            await socket.close(1000, "bye")


async def main():
    async with websockets.connect(sys.argv[1]) as socket:
        print("open", flush=True)
        obeying = asyncio.create_task(obey(socket))
        await hear(socket)
        obeying.cancel()


asyncio.run(main())
