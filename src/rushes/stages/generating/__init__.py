"""The parts of the stage `generate`: what is asked for, the script, and what is made of it."""
