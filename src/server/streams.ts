// Texts that are made while they are sent: server-sent events, lines of JSON.

/**
 * An answer that sends what `texts` yields. When the client leaves, `controller` aborts, and with it what
 * makes the texts.
 */
export function textStream(
  texts: AsyncGenerator<string, void>,
  controller: AbortController,
  type: string,
): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(stream) {
      try {
        const { done, value } = await texts.next();
        if (done) stream.close();
        else stream.enqueue(encoder.encode(value));
      } catch (error) {
        stream.error(error);
      }
    },
    async cancel() {
      controller.abort();
      await texts.return();
    },
  });
  return new Response(body, {
    headers: {
      'Content-Type': type,
      'Cache-Control': 'no-store',
      // Proxies that collect answers would keep the first words back.
      'X-Accel-Buffering': 'no',
    },
  });
}

export function eventStream(texts: AsyncGenerator<string, void>, controller: AbortController): Response {
  return textStream(texts, controller, 'text/event-stream; charset=utf-8');
}

/** What was taken already, then the rest, which is ended however this ends. */
export async function* chained<T>(
  first: readonly T[],
  rest: AsyncGenerator<T, void>,
): AsyncGenerator<T, void> {
  try {
    yield* first;
    yield* rest;
  } finally {
    await rest.return();
  }
}
