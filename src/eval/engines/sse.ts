// Server-sent events → their data. Source: WHATWG HTML, "Server-sent events", section 9.2.6.

/** The data of each event, as it comes. Lines may be cut anywhere between two reads. */
export async function* sseData(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let held = '';
  let data: string[] = [];
  for await (const bytes of body) {
    held += decoder.decode(bytes, { stream: true });
    const lines = held.split(/\r\n|\n|\r(?!$)/); // a CR at the end may be half of a CR LF
    held = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      if (line !== '' || data.length === 0) continue;
      yield data.join('\n');
      data = [];
    }
  }
}
