"""Scripts of narrated videos: of a text, a summary or a request, quoted offline or written by a language model."""
