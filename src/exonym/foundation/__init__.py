"""What every room stands on: errors, safe files, progress, seeds. No knowledge of language."""
