"""Chat models behind OpenAI-compatible endpoints: client, cache of replies, usage and budget."""
