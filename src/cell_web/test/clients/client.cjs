// A socket.io-client, release 2 or 4, as a process: JSON lines in are events to send, JSON lines out are events received.
// node client.cjs FOLDER_OF_THE_RELEASE URL TRANSPORTS EVENT...
const readline = require('node:readline')

const [release, url, transports, ...names] = process.argv.slice(2)
const show = (event, payload) => process.stdout.write(JSON.stringify([event, payload ?? null]) + '\n')

const socket = require(release)(url, {
  transports: transports.split(','),
  reconnectionDelay: 100,
  reconnectionDelayMax: 300
})
socket.on('connect', () => show('connect'))
socket.on('disconnect', () => show('disconnect'))
for (const failure of ['connect_error', 'error']) {
  socket.on(failure, (error) => show('failure', String(error?.message ?? error)))
}
for (const name of names) {
  socket.on(name, (payload) => show(name, payload))
}
readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => socket.emit(...JSON.parse(line)))
  .on('close', () => {
    socket.disconnect()
    process.exit(0)
  })
