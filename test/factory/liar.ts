import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { EKU, makeAuthority, makeCertificate } from './certificates.ts';
import { der } from './der.ts';

/** A request as it came in, and the connection to answer on, byte by byte. */
export interface RawRequest {
  readonly path: string;
  /** request line and headers */
  readonly head: string;
  readonly socket: Socket;
}

/** A server on the loopback address that says whatever a test likes. */
export interface Liar extends AsyncDisposable {
  readonly origin: string;
  readonly heads: readonly string[];
}

/** The certificate of a site at 127.0.0.1 and the authority that vouches for it. */
export interface Site {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** Makes the certificates of a site at 127.0.0.1. */
export async function makeSite(): Promise<Site> {
  const lifetime = { notBefore: new Date('2020-01-01'), notAfter: new Date('2049-01-01') };
  const issuer = await makeAuthority({ subject: 'CN=Web CA', ...lifetime });
  const loopback = der(0x30, der(0x87, Uint8Array.of(127, 0, 0, 1)));
  const site = await makeCertificate({
    issuer,
    subject: 'CN=127.0.0.1',
    eku: [EKU.serverAuth],
    extensions: [{ oid: '2.5.29.17', critical: false, value: loopback }],
    ...lifetime,
  });
  return { key: site.privateKeyPem, cert: site.pem, ca: issuer.pem };
}

/** Starts a server that answers each request as `how` does it, over TLS when it has a site. */
export async function startLiar(how: (request: RawRequest) => void, site?: Site): Promise<Liar> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const talk = (socket: Socket): void => {
    sockets.add(socket);
    let head = '';
    let asked = false;
    socket.on('error', () => {}); // the client may go at any time
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (part: Buffer) => {
      head += part.toString('latin1');
      if (asked || !head.includes('\r\n\r\n')) return;
      asked = true;
      heads.push(head);
      how({ path: head.split(' ')[1] ?? '', head, socket });
    });
  };
  const server = site ? createTlsServer(site, talk) : createServer(talk);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  server.unref();
  const { port } = server.address() as { port: number };
  return {
    origin: `${site ? 'https' : 'http'}://127.0.0.1:${port}`,
    heads,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Sends `piece` again and again, until nobody listens. */
export function drip(socket: Socket, piece: string | Uint8Array, everyMs = 10): void {
  const timer = setInterval(() => socket.write(piece), everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** An answer with a length and a body, as honest servers send it; more headers first. */
export function answerOf(body: string | Uint8Array, headers = '', status = '200 OK'): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\n${headers}Content-Length: ${length}\r\n\r\n`, 'latin1'),
    Buffer.from(body),
  ]);
}
