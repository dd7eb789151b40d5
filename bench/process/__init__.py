"""What the worker costs beside a bare loop on the same HTTP library, and five threads of `requests`, at a slow processor."""
