"""Archives of published models: what is in them, what of it to run, and whether it comes out as published."""
