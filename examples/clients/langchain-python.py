"""Puts listings into a LangChain vector store, and prints them by their similarity to a question."""

import os

from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import OpenAIEmbeddings

URL = os.environ.get("EMBEDDING_URL", "http://localhost:8001")
MODEL = os.environ.get("EMBEDDING_MODEL", "all-MiniLM-L6-v2")
API_KEY = os.environ.get("EMBEDDING_API_KEY", "anonymous")

LISTINGS = [
    "Two-bedroom flat near the park",
    "Garage with a charging point",
    "Office above a bakery",
]
QUESTION = "Somewhere to live with some green around"

embeddings = OpenAIEmbeddings(
    base_url=f"{URL}/v1",
    api_key=API_KEY,
    model=MODEL,
    # Without this LangChain sends token ids of OpenAI's vocabulary, which other models do not have.
    check_embedding_ctx_length=False,
)
store = InMemoryVectorStore.from_texts(LISTINGS, embeddings)
for document, score in store.similarity_search_with_score(QUESTION, k=len(LISTINGS)):
    print(f"{score:.3f} {document.page_content}")
