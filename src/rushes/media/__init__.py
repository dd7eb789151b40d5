"""Media: FFmpeg, probing, captions, speech to text, narration, slides. This room knows nothing of jobs."""
