// The WebSocket of the package undici, driven by lines: see ../websocket_test.go.
import { channel } from 'node:diagnostics_channel'
import { createInterface } from 'node:readline'
import { WebSocket, ping } from 'undici'

const socket = new WebSocket(process.argv[2])
socket.onopen = () => console.log('open')
socket.onmessage = (e) => console.log('message ' + e.data)
channel('undici:websocket:pong').subscribe(({ payload }) => console.log('pong ' + payload))
socket.onclose = (e) => {
  console.log(`close ${e.code} ${e.reason}`)
  process.exit()
}

for await (const line of createInterface(process.stdin)) {
  const [verb, ...rest] = line.split(' ')
  if (verb === 'send') socket.send(rest.join(' '))
  if (verb === 'ping') ping(socket, Buffer.from('hi'))
  if (verb === 'close') socket.close(1000, 'bye')
}
