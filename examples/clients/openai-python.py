"""Embeds listings and a question, and prints the listings by their similarity to it."""

import os

from openai import OpenAI

URL = os.environ.get("EMBEDDING_URL", "http://localhost:8001")
MODEL = os.environ.get("EMBEDDING_MODEL", "all-MiniLM-L6-v2")
API_KEY = os.environ.get("EMBEDDING_API_KEY", "anonymous")

LISTINGS = [
    "Two-bedroom flat near the park",
    "Garage with a charging point",
    "Office above a bakery",
]
QUESTION = "Somewhere to live with some green around"

client = OpenAI(base_url=f"{URL}/v1", api_key=API_KEY)
answer = client.embeddings.create(model=MODEL, input=[QUESTION, *LISTINGS])
asked, *offered = [item.embedding for item in answer.data]

# Vectors have length 1, so that the dot product is the cosine of their angle.
scores = [sum(a * b for a, b in zip(asked, vector)) for vector in offered]
for score, text in sorted(zip(scores, LISTINGS), reverse=True):
    print(f"{score:.3f} {text}")
