"""Small notations in which users say what a plain value cannot: templates, patterns, references to secrets. Pure."""
