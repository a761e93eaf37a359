"""How a vision-language model answers a turn: prompts, pictures, parsing of its replies."""
