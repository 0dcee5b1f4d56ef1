"""SQL of the user: checked, refused by name, and turned into what an engine runs. Nothing is imported eagerly."""
