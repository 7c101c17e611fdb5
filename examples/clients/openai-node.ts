// Embeds listings and a question, and prints the listings by their similarity to it.
import OpenAI from "openai";

const {
    EMBEDDING_URL: url = "http://localhost:8001",
    EMBEDDING_MODEL: model = "all-MiniLM-L6-v2",
    EMBEDDING_API_KEY: apiKey = "anonymous",
} = process.env;

const listings = [
    "Two-bedroom flat near the park",
    "Garage with a charging point",
    "Office above a bakery",
];
const question = "Somewhere to live with some green around";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });
const { data } = await client.embeddings.create({ model, input: [question, ...listings] });
const [asked = [], ...offered] = data.map(({ embedding }) => embedding);

// Vectors have length 1, so that the dot product is the cosine of their angle.
const similarity = (one: number[]) => one.reduce((sum, x, at) => sum + x * (asked[at] ?? 0), 0);
const ranked = listings
    .map((text, at) => ({ text, score: similarity(offered[at] ?? []) }))
    .sort((a, b) => b.score - a.score);
for (const { text, score } of ranked) console.log(score.toFixed(3), text);
