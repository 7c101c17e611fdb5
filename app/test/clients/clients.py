"""Asks a running service as each Python client does, and prints what it got as JSON.

clients.py CLIENT URL KEY MODEL < texts, one a line
"""

import json
import os
import sys

# Neither client needs anything but the service.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_TELEMETRY"] = "False"

API_VERSION = "2024-10-21"

client, url, key, model = sys.argv[1:]
texts = [line.rstrip("\n") for line in sys.stdin]
v1 = f"{url}/v1"


def openai_python():
    import openai

    def ask(api_key=key, **more):
        api = openai.OpenAI(base_url=v1, api_key=api_key, max_retries=0)
        return api.embeddings.create(**{"model": model, "input": texts, **more})

    def error_of(**more):
        try:
            ask(**more)
        except openai.APIStatusError as error:
            return [type(error).__name__, error.code]
        return None

    api = openai.OpenAI(base_url=v1, api_key=key)
    azure = openai.AzureOpenAI(azure_endpoint=url, api_key=key, api_version=API_VERSION)
    azure_vectors = azure.embeddings.create(model=model, input=texts).data
    return {
        "vectors": [one.embedding for one in ask().data],
        "floats": [one.embedding for one in ask(encoding_format="float").data],
        "azure": [one.embedding for one in azure_vectors],
        "dimensions": len(ask(dimensions=8, user="u-1").data[0].embedding),
        "tokens": ask(input=[[1, 2, 3]]).data[0].embedding,
        "models": [one.id for one in api.models.list()],
        "anonymous": len(ask(api_key="anonymous").data),
        "errors": [
            error_of(api_key="wrong"),
            error_of(model="other"),
            error_of(input=["a", " "]),
        ],
    }


def langchain():
    from langchain_openai import AzureOpenAIEmbeddings, OpenAIEmbeddings

    # Without this it sends token ids of OpenAI's vocabulary, which it has to download.
    plain = {"model": model, "api_key": key, "check_embedding_ctx_length": False}
    embeddings = OpenAIEmbeddings(base_url=v1, **plain)
    azure = AzureOpenAIEmbeddings(azure_endpoint=url, openai_api_version=API_VERSION, **plain)
    return {
        "vectors": embeddings.embed_documents(texts),
        "query": embeddings.embed_query(texts[0]),
        "azure": azure.embed_documents(texts),
        "dimensions": len(OpenAIEmbeddings(base_url=v1, dimensions=8, **plain).embed_query("a")),
    }


def llama_index():
    from llama_index.embeddings.openai import OpenAIEmbedding
    from llama_index.embeddings.openai_like import OpenAILikeEmbedding

    like = OpenAILikeEmbedding(model_name=model, api_base=v1, api_key=key, embed_batch_size=2)
    own = OpenAIEmbedding(model_name=model, api_base=v1, api_key=key)
    return {
        "vectors": like.get_text_embedding_batch(texts),
        "query": like.get_query_embedding(texts[0]),
        "floats": own.get_text_embedding_batch(texts),
    }


def lite_llm():
    import litellm

    def ask(**more):
        answer = litellm.embedding(**{"input": texts, "api_key": key, "max_retries": 0, **more})
        return [one["embedding"] for one in answer.data]

    try:
        ask(model=f"openai/{model}", api_base=v1, api_key="wrong")
        error = None
    except litellm.AuthenticationError as refused:
        error = [type(refused).__name__, refused.status_code]
    return {
        "vectors": ask(model=f"openai/{model}", api_base=v1),
        "floats": ask(model=f"openai/{model}", api_base=v1, encoding_format="float"),
        "azure": ask(model=f"azure/{model}", api_base=url, api_version=API_VERSION),
        "errors": [error],
    }


CLIENTS = {
    "openai-python": openai_python,
    "langchain": langchain,
    "llama-index": llama_index,
    "litellm": lite_llm,
}
# LiteLLM talks to its user on the standard output.
answers, sys.stdout = sys.stdout, sys.stderr
print(json.dumps(CLIENTS[client]()), file=answers)
