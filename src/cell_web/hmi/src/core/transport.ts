import { AbstractTransport } from 'roslib';

/**
 * roslib transport over one WebSocket. Messages are dropped, not queued, unless the socket is open.
 *
 * A queued command would be executed after a reconnection, when the operator no longer expects it.
 */
class SocketTransport extends AbstractTransport {
  constructor(private readonly socket: WebSocket, onData: () => void) {
    super();
    socket.onopen = (event) => this.emit('open', event);
    socket.onclose = (event) => this.emit('close', event);
    socket.onerror = (event) => this.emit('error', event);
    socket.onmessage = (event: MessageEvent<string>) => {
      onData();
      this.handleRawMessage(event.data);
    };
  }

  override send(message: unknown): void {
    if (this.isOpen()) this.socket.send(JSON.stringify(message));
  }
  override close(): void {
    this.socket.close();
  }
  override isConnecting(): boolean {
    return this.socket.readyState === WebSocket.CONNECTING;
  }
  override isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }
  override isClosing(): boolean {
    return this.socket.readyState === WebSocket.CLOSING;
  }
  override isClosed(): boolean {
    return this.socket.readyState === WebSocket.CLOSED;
  }
}

/** Transport factory for roslib: open a WebSocket. `onData` is called for each message, also for those that roslib ignores. */
export async function openSocket(url: string, onData: () => void): Promise<AbstractTransport> {
  return new SocketTransport(new WebSocket(url), onData);
}
