"""What is said in a video, in short: sentences with times, chapters, summaries offline and by language models."""
