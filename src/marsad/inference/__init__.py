"""The predictor that others call, and what it runs on."""
