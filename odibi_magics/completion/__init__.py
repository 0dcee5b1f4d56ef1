"""What may come next in a half-typed cell or magic line, and what the word under the cursor means. No IPython here."""
