"""Servers that play outside services on this machine, for the tests of whoever uses Rushes, and for the demo.

Real clients drive them over the network. What one of them cannot do it refuses.
"""
