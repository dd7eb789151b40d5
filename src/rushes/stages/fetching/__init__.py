"""Fetching: yt-dlp in a child process, local files, feeds, captions, and what each fault there means for the job."""
