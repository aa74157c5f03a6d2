import { WebSocketServer, type WebSocket } from 'ws';

export type Message = Record<string, unknown>;

/** Fake rosbridge on an ephemeral port: records messages and responds as scripted. */
export class FakeRosbridge {
  readonly received: Message[] = [];
  readonly sockets: WebSocket[] = [];
  answer: (message: Message) => Message | undefined = () => undefined;
  #server!: WebSocketServer;
  port = 0;

  async start(port = 0): Promise<this> {
    this.#server = new WebSocketServer({ host: '127.0.0.1', port });
    await new Promise((resolve) => this.#server.once('listening', resolve));
    this.port = (this.#server.address() as { port: number }).port;
    this.#server.on('connection', (socket) => {
      this.sockets.push(socket);
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as Message;
        this.received.push(message);
        const answer = this.answer(message);
        if (answer) socket.send(JSON.stringify(answer));
      });
    });
    return this;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  ops(op: string): Message[] {
    return this.received.filter((message) => message.op === op);
  }

  publish(topic: string, msg: unknown): void {
    this.sockets.at(-1)?.send(JSON.stringify({ op: 'publish', topic, msg }));
  }

  drop(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Wait until a condition holds. */
export async function until(condition: () => unknown, what = String(condition), timeoutMs = 5_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
