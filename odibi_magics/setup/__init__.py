"""The setup wizard without a front end: what it asks, what it finds out, and the YAML it ends with."""
