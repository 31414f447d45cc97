"""The verbs of tools/dev, one module each."""
