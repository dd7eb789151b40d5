"""Asking a processor: the connections to it, who we are to it, what its answers mean, and when it is left alone."""
