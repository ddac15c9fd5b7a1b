"""Training an extractor on annotated documents."""
