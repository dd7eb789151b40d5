"""How good are words, chapters and summaries? Measured on a corpus that is made here, beside simple baselines."""
