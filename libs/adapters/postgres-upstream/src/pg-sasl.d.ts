/** The client side of SCRAM in pg (exact version pinned; scram.spec.ts and the specs against real servers hold it). */
declare module 'pg/lib/crypto/sasl.js' {
  interface Session {
    readonly mechanism: string;
    readonly response: string;
  }
  interface CertificateSource {
    getPeerCertificate(): { readonly raw: Buffer };
  }
  const sasl: {
    startSession(mechanisms: readonly string[], stream: CertificateSource | undefined, maxIterations: number): Session;
    continueSession(session: Session, password: string, serverFirst: string, stream: CertificateSource | undefined): Promise<void>;
    finalizeSession(session: Session, serverFinal: string): void;
  };
  export default sasl;
}

declare module 'pg/lib/crypto/utils.js' {
  const utils: { postgresMd5PasswordHash(user: string, password: string, salt: Buffer): Promise<string> };
  export default utils;
}
