"""Unmodified Python clients against a running server; prints what they got as JSON.

    python stock_clients.py http://127.0.0.1:7860 clip.wav
"""

import contextlib
import io
import json
import sys

import gradio_client
import openai

address, clip = sys.argv[1:]
extra = {"max_new_tokens": 8}
client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def transcribe(**options):
    with open(clip, "rb") as file:
        return client.audio.transcriptions.create(file=file, extra_body=extra, **options)


with open(clip, "rb") as file:
    stream = client.audio.transcriptions.create(file=file, model="sample", stream=True, extra_body=extra)
    deltas = "".join(event.delta for event in stream if event.type == "transcript.text.delta")

try:
    transcribe(model="nobody")
    failure = None
except openai.APIError as error:
    failure = type(error).__name__

with contextlib.redirect_stdout(io.StringIO()):
    gradio = gradio_client.Client(address)
    text, _segments = gradio.predict(gradio_client.handle_file(clip), api_name="/transcribe")

print(
    json.dumps(
        {
            "openai": transcribe(model="sample").text,
            "openai_stream": deltas,
            "openai_error": failure,
            "gradio": text,
        }
    )
)
