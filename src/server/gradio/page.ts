// /gradio_api/: how to call this server, for people.

import { addSecurityHeaders } from '../headers.ts';
import { READABLE_POLICY, readablePage } from '../readable-page.ts';

export function clientPage(request: Request): Response {
  const { origin } = new URL(request.url);
  const headers = new Headers({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': READABLE_POLICY,
  });
  addSecurityHeaders(headers, 'page');
  return new Response(readablePage('Calling Sotto with Gradio', body(origin)), { headers });
}

function body(origin: string): string {
  return `<p>One function, <code>/transcribe</code>: a recording in, its text and its segments out. Stock clients work unchanged.</p>
<h2>Python</h2>
<pre>from gradio_client import Client, handle_file

client = Client("${origin}/")
text, segments = client.predict(handle_file("talk.wav"), api_name="/transcribe")</pre>
<h2>JavaScript</h2>
<pre>import { Client, handle_file } from '@gradio/client';

const client = await Client.connect('${origin}/');
const { data: [text, segments] } = await client.predict('/transcribe', [handle_file(file)]);</pre>
<h2>curl</h2>
<pre>path=$(curl -s -F files=@talk.wav ${origin}/gradio_api/upload | tr -d '[]"')
id=$(curl -s ${origin}/gradio_api/call/transcribe -H 'Content-Type: application/json' \\
  -d '{"data": [{"path": "'$path'"}]}' | cut -d'"' -f4)
curl -N ${origin}/gradio_api/call/transcribe/$id</pre>
<h2>Parameters</h2>
<ol>
<li><code>audio</code>: an uploaded recording, in any format that Sotto reads. Addresses are not fetched.</li>
<li><code>model</code> (text, optional): a name from <a href="../v1/models">the list of models</a>.</li>
<li><code>gain</code> (true or false, optional): lift quiet speech to a steady level.</li>
<li><code>voice_detection</code> (true or false, optional): read only where somebody speaks.</li>
</ol>
<p>More: <a href="./info">the machine-readable description</a>, <a href="../docs">all APIs</a>, <a href="../">the page</a>.</p>`;
}
