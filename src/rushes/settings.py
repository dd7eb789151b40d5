"""Every setting, once. Read from the environment (`RUSHES_…`, and the seeds' own names), then a TOML file, then defaults.

A wrong value is found before any work and ends in a `SettingsError` that names the setting, what was found and what is wanted.
"""
