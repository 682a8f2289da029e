// The fetch of the package undici: a call, then the stream of events. Arguments: the
// server's URL and a token. It prints each field of the stream as it comes.
import { fetch } from 'undici'

const [url, token] = process.argv.slice(2)
const headers = { Authorization: 'Bearer ' + token }
const answer = await fetch(url + '/v1/messages.send', {
  method: 'POST',
  headers: { ...headers, 'Content-Type': 'application/json' },
  body: JSON.stringify({
    to: { conversation: 'lobby' },
    client_id: crypto.randomUUID(),
    content: { type: 'text', text: '从 undici 来' }
  })
})
console.log(answer.status, await answer.text())

const stream = await fetch(url + '/v1/events?rooms=lobby', { headers })
console.log(stream.status, stream.headers.get('content-type'))
for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) process.stdout.write(chunk)
console.log('end')
