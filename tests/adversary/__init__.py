"""Programs that attack a running server with random input, each reproducible from its seed."""
