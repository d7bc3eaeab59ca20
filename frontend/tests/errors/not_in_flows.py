import time

import requests
from deepslate import flow, new_embedded

connection = requests.Session()


@flow
async def fetch(url: str) -> str:
    time.sleep(1.0)
    reply = requests.get(url)
    new_embedded("path")
    text = open("file").read()
    return reply.text
