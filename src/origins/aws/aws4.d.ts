// What is used of aws4, which ships no types.
declare module 'aws4' {
  interface SignedRequest {
    readonly headers: Readonly<Record<string, string | number>>;
  }

  const aws4: {
    readonly sign: (
      request: {
        readonly method: string;
        readonly path: string;
        readonly body: string;
        readonly region: string;
        readonly service: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly extraHeadersToIgnore: Readonly<Record<string, true>>;
      },
      credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string },
    ) => SignedRequest;
  };
  export default aws4;
}
