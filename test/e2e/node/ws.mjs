// A WebSocket client of the package ws, driven by lines: see ../websocket_test.go.
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'

const socket = new WebSocket(process.argv[2])
socket.on('open', () => console.log('open'))
socket.on('message', (data) => console.log('message ' + data))
socket.on('pong', (payload) => console.log('pong ' + payload))
socket.on('close', (code, reason) => {
  console.log(`close ${code} ${reason}`)
  process.exit()
})
socket.on('error', (error) => console.log('error ' + error.message))

for await (const line of createInterface(process.stdin)) {
  const [verb, ...rest] = line.split(' ')
  if (verb === 'send') socket.send(rest.join(' '))
  if (verb === 'ping') socket.ping('hi')
  if (verb === 'close') socket.close(1000, 'bye')
}
