#!/bin/sh
# Embeds three texts and prints the service's answer as JSON.
set -eu

curl --silent --show-error --fail-with-body "${EMBEDDING_URL:-http://localhost:8001}/v1/embeddings" \
    -H "Authorization: Bearer ${EMBEDDING_API_KEY:-anonymous}" \
    -H 'Content-Type: application/json' \
    -d '{
        "model": "'"${EMBEDDING_MODEL:-all-MiniLM-L6-v2}"'",
        "input": ["Two-bedroom flat near the park", "Garage with a charging point", "Office above a bakery"]
    }'
