import { once } from "node:events";
import { connect } from "node:net";
import { createWebSocketStream, WebSocketServer } from "ws";

/** Passes on what a WebSocket brings to the server whose host and port the query names, as Neon's proxy does. */
export async function startProxy() {
  const proxy = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(proxy, "listening");
  proxy.on("connection", (socket, { url }) => {
    const [host, port] = new URL(url, "ws://proxy").searchParams.get("address").split(":");
    const server = connect(Number(port), host);
    const client = createWebSocketStream(socket);
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => socket.terminate());
  });
  return proxy;
}
