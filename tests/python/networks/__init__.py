"""Small random networks: a list of steps is interpreted by one module, which torch.export traces."""
