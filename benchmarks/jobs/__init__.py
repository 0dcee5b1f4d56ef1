"""Jobs that are timed as whole processes."""
