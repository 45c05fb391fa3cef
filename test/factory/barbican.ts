import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request that the double was sent. */
interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A Keystone and Barbican on the loopback address, with the answers that the real ones were recorded to give. */
export interface BarbicanDouble extends AsyncDisposable {
  readonly address: string;
  readonly requests: readonly SeenRequest[];
  /** keeps a secret under a UUID */
  keep(uuid: string, secret: KeptSecret): void;
  /** answers every request so from now on */
  answer(how: (request: SeenRequest, response: ServerResponse) => void): void;
}

/** A secret of the double. */
export interface KeptSecret {
  readonly payload?: string;
  readonly type?: string;
  readonly contentType?: string;
  /** in place of what would be said of it */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export const TOKEN = 'gAAAA-a-token';
const NOT_FOUND =
  '{"code": 404, "title": "Not Found", "description": "Not Found. Provided secret id is invalid."}';
const UNAUTHORISED =
  '{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}';

/** Starts a double. It takes the token `TOKEN`, and the password and the application credential `secret`. */
export async function startBarbican(tls?: {
  readonly key: string;
  readonly cert: string;
}): Promise<BarbicanDouble> {
  const secrets = new Map<string, KeptSecret>();
  const requests: SeenRequest[] = [];
  let other: ((request: SeenRequest, response: ServerResponse) => void) | undefined;
  let stored = 0;
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { method = '', url: path = '', headers } = incoming;
      const request = { method, path, headers, body: Buffer.concat(parts).toString() };
      requests.push(request);
      if (other) other(request, response);
      else if (path === '/v3/auth/tokens') signIn(request, response, address);
      else if (headers['x-auth-token'] !== TOKEN) send(response, 401, UNAUTHORISED);
      else if (method === 'POST' && path === '/v1/secrets') store(request, response);
      else give(request, response);
    });
  };
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener);
  const store = ({ body }: SeenRequest, response: ServerResponse): void => {
    const secret = JSON.parse(body);
    stored++;
    const uuid = `214b497e-d4a3-4540-a50b-${String(stored).padStart(12, '0')}`;
    secrets.set(uuid, {
      payload: Buffer.from(secret.payload, secret.payload_content_encoding).toString(),
      type: secret.secret_type,
      contentType: secret.payload_content_type,
    });
    send(response, 201, JSON.stringify({ secret_ref: `${address}/v1/secrets/${uuid}` }));
  };
  const give = ({ path, headers }: SeenRequest, response: ServerResponse): void => {
    const [, uuid = '', payload] = /^\/v1\/secrets\/([^/]+)(\/payload)?$/.exec(path) ?? [];
    const secret = secrets.get(uuid);
    if (!secret) {
      send(response, 404, NOT_FOUND);
      return;
    }
    const { type = 'certificate', contentType = 'application/octet-stream' } = secret;
    if (payload) {
      if (headers.accept !== contentType) {
        send(response, 406, '{"code": 406, "description": "Wrong payload content-type."}');
        return;
      }
      response.writeHead(200, { 'content-type': contentType }).end(secret.payload ?? '');
      return;
    }
    const metadata = {
      created: '2026-11-21T22:55:33.762861',
      status: 'ACTIVE',
      name: 'test',
      secret_type: type,
      expiration: null,
      ...(secret.payload !== undefined && { content_types: { default: contentType } }),
      secret_ref: `http://elsewhere/v1/secrets/${uuid}`,
      ...secret.metadata,
    };
    send(response, 200, JSON.stringify(metadata));
  };
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  server.unref();
  const address = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    address,
    requests,
    keep: (uuid, secret) => secrets.set(uuid, secret),
    answer: (how) => {
      other = how;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

function signIn({ body }: SeenRequest, response: ServerResponse, address: string): void {
  const { identity } = JSON.parse(body).auth;
  const good =
    identity.token?.id === TOKEN ||
    identity.password?.user?.password === 'secret' ||
    identity.application_credential?.secret === 'secret';
  if (!good) {
    send(response, 401, UNAUTHORISED);
    return;
  }
  const endpoints = ['public', 'internal'].map((name) => ({
    interface: name,
    region: 'One',
    url: `${address}/`,
  }));
  const token = {
    methods: ['password'],
    catalog: [
      { type: 'image', endpoints: [] },
      { type: 'key-manager', endpoints },
    ],
  };
  response
    .writeHead(201, { 'content-type': 'application/json', 'x-subject-token': TOKEN })
    .end(JSON.stringify({ token }));
}
