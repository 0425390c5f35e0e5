"""What reproducing an archive gave, for people (HTML) and for pipelines (JSON, JUnit XML)."""
