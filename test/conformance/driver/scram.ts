import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** The client's half of SCRAM-SHA-256 (RFC 7677), written here so that the driver owes nothing to the code it judges. */
export class ScramClient {
  readonly #nonce = randomBytes(18).toString('base64');
  readonly first = `n,,n=,r=${this.#nonce}`;

  constructor(private readonly password: string) {}

  /** The answer to the server's first message. */
  final(serverFirst: string): string {
    const fields = Object.fromEntries(serverFirst.split(',').map((field) => [field[0]!, field.slice(2)]));
    const salted = pbkdf2Sync(this.password, Buffer.from(fields.s!, 'base64'), Number(fields.i), 32, 'sha256');
    const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=biws,r=${fields.r!}`;
    const signed = `n=,r=${this.#nonce},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), signed);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!));
    return `${withoutProof},p=${proof.toString('base64')}`;
  }
}
