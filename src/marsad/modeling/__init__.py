"""Windows, the network, decoding, and the folder a model is saved in."""
