"""What the worker costs beside a bare loop on the same HTTP library, and the seed's five threads, at one slow processor."""
